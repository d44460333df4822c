// The fields of forms for media. Custom elements, so that rows which Django's scripts add work by themselves.

import { announce, fill, part, say } from "../admin/page.js";
import { uncoverPictures } from "./library-pictures.js";
import { openPanel } from "./panel-open.js";
import { pick } from "./picker-dialog.js";
import { Gallery } from "./picker-gallery.js";
import { labelOf, nameOpener, pictureOf, pressed, tellForm, tellTexts } from "./picker-parts.js";

class MediaPicker extends HTMLElement {
  connectedCallback() {
    if (this.isReady) return; // moved within the page
    this.isReady = true;
    this.name(); // what a label names, says nothing of what pressing it does
    this.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button?.dataset.part === "choose") this.choose();
      if (button?.dataset.part === "remove") this.take();
      if (event.target.closest('[data-part="picture"]')) this.look();
    });
    part(this, "picture").addEventListener("keydown", (event) => pressed(event) && this.look());
  }

  async choose() {
    try {
      const chosen = await pick(this.dataset.library, { only: this.dataset.only, label: labelOf(this) });
      if (chosen) this.show(chosen[0]);
    } catch (error) {
      announce(error.message, "error");
    }
  }

  /** Take what an element shows: an option of the library, or a picture of the gallery. */
  show(option, word = this.dataset.chosen) {
    this.set(option.dataset);
    part(this, "picture").replaceChildren(pictureOf(option));
    say(fill(word, { name: option.dataset.name }));
  }

  take() {
    const { name } = this.dataset;
    this.clear();
    part(this, "choose").focus();
    say(fill(this.dataset.removed, { name }));
  }

  clear() {
    this.set();
    part(this, "picture").replaceChildren(part(this, "no-picture").content.cloneNode(true));
  }

  set({ id = "", name = "", facts = "", panel = "" } = {}) {
    Object.assign(this.dataset, { id, panel });
    part(this, "name").textContent = name;
    part(this, "facts").textContent = facts;
    for (const each of ["name", "facts", "remove"]) part(this, each).hidden = !id;
    part(this, "choose").textContent = id ? this.dataset.change : this.dataset.choose;
    this.name();
    part(this, "value").value = id;
    tellForm(part(this, "value"));
  }

  name() {
    const [button, picture, name] = [part(this, "choose"), part(this, "picture"), part(this, "name").textContent];
    const label = labelOf(this);
    if (button && label) button.setAttribute("aria-label", `${label}: ${button.textContent.trim()}`);
    this.dataset.name = name;
    nameOpener(picture, this.dataset.panel && fill(this.dataset.open, { name }));
  }

  look() {
    if (this.dataset.panel) openPanel(this.shelf, this);
  }

  /** What the panel shows of this picture: it is alone here, and what it says in a gallery belongs there. */
  get shelf() {
    return {
      items: () => [this],
      picture: () => part(this, "picture"),
      caption: () => null,
      cover: null,
      saved: (item, answer) => tellTexts(answer, item.dataset.id),
    };
  }
}

customElements.define("folio-media", MediaPicker);
customElements.define("folio-gallery", Gallery);
uncoverPictures();
