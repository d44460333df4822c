// The page with the links to an entry: a new one is shown once, in the answer to a form, and is copied here.

import { announce, copy } from "../admin/page.js";

class Sharing extends HTMLElement {
  connectedCallback() {
    this.addEventListener("click", (event) => {
      const button = event.target.closest("[data-copies]");
      if (button) this.copy(document.getElementById(button.dataset.copies));
    });
    const link = this.querySelector("input[readonly]");
    if (!link) return;
    history.replaceState(null, "", location.href); // a reload shows the page, and makes no other link
    // A browser may keep the whole page for the way back to it, and then the link with it.
    window.addEventListener("pagehide", () => {
      link.value = "";
      link.removeAttribute("value");
    });
    window.addEventListener("pageshow", (event) => event.persisted && location.replace(location.href));
    link.addEventListener("focus", () => link.select());
    link.focus();
    link.scrollIntoView({ block: "center" });
  }

  async copy(input) {
    try {
      await copy(input.value);
      announce(this.dataset.copied);
    } catch {
      input.focus();
      input.select();
      announce(this.dataset.selected, "info");
    }
  }
}

customElements.define("folio-sharing", Sharing);
