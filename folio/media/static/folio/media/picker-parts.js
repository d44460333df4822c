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

/** Tell whether a key presses what is a button by its role only; it then does nothing else. */
export function pressed(event) {
  if (event.key !== "Enter" && event.key !== " ") return false;
  event.preventDefault();
  return true;
}

/** Make a picture one that opens the panel, under that name; without one, make it a picture alone. */
export function nameOpener(picture, name) {
  const attributes = { role: "button", tabindex: "0", "aria-haspopup": "dialog", "aria-label": name };
  for (const [attribute, value] of Object.entries(attributes)) {
    if (name) picture.setAttribute(attribute, value);
    else picture.removeAttribute(attribute);
  }
}

/** Write the texts of a picture that were just saved wherever else the page shows them. */
export function tellTexts(texts, id) {
  for (const item of document.querySelectorAll(`:is(.folio-gallery-item, .folio-card)[data-id="${id}"]`)) {
    for (const field of ["name", "alt"]) {
      const box = item.querySelector(`[data-field="${field}"] .folio-text-box`);
      if (box) box.value = box.dataset.saved = texts[field];
    }
    item.dispatchEvent(new Event("described", { bubbles: true }));
  }
}
