// What the two kinds of pickers share.

import { part } from "../admin/page.js";

/** Return the field's label, for the dialog that it opens. */
export function labelOf(element) {
  return (part(element, "choose")?.labels[0]?.textContent ?? "").replace("*", "").trim();
}

/** Return a copy of an option's picture. */
export function pictureOf(option) {
  return option.querySelector(".folio-thumbnail").cloneNode(true);
}

/** Let what watches the form, such as the warning of unsaved changes, know that a hidden value has changed. */
export function tellForm(input) {
  for (const name of ["input", "change"]) input.dispatchEvent(new Event(name, { bubbles: true }));
}
