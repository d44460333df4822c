// The fields of forms for media. Custom elements, so that rows which Django's scripts add work by themselves.

import { announce, fill, part, say } from "../admin/page.js";
import { uncoverPictures } from "./library-pictures.js";
import { pick } from "./picker-dialog.js";
import { Gallery } from "./picker-gallery.js";
import { labelOf, pictureOf, tellForm } from "./picker-parts.js";

class MediaPicker extends HTMLElement {
  connectedCallback() {
    if (this.isReady) return; // moved within the page
    this.isReady = true;
    this.name(); // what a label names, says nothing of what pressing it does
    this.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button?.dataset.part === "choose") this.choose();
      if (button?.dataset.part === "remove") this.take();
    });
  }

  async choose() {
    try {
      const chosen = await pick(this.dataset.library, { only: this.dataset.only, label: labelOf(this) });
      if (chosen) this.show(chosen[0]);
    } catch (error) {
      announce(error.message, "error");
    }
  }

  show(option) {
    this.set(option.dataset.id, option.dataset.name, option.dataset.facts);
    part(this, "picture").replaceChildren(pictureOf(option));
    say(fill(this.dataset.chosen, { name: option.dataset.name }));
  }

  take() {
    const { textContent: name } = part(this, "name");
    this.set("", "", "");
    part(this, "picture").replaceChildren(part(this, "no-picture").content.cloneNode(true));
    part(this, "choose").focus();
    say(fill(this.dataset.removed, { name }));
  }

  set(id, name, facts) {
    part(this, "name").textContent = name;
    part(this, "facts").textContent = facts;
    for (const each of ["name", "facts", "remove"]) part(this, each).hidden = !id;
    part(this, "choose").textContent = id ? this.dataset.change : this.dataset.choose;
    this.name();
    part(this, "value").value = id;
    tellForm(part(this, "value"));
  }

  name() {
    const button = part(this, "choose");
    const label = labelOf(this);
    if (button && label) button.setAttribute("aria-label", `${label}: ${button.textContent.trim()}`);
  }
}

customElements.define("folio-media", MediaPicker);
customElements.define("folio-gallery", Gallery);
uncoverPictures();
