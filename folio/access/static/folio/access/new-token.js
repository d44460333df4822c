// The page that shows a new API key, once: its answer is to a form, and reloading must not send that again.

import { announce, copy } from "../admin/page.js";

class NewToken extends HTMLElement {
  connectedCallback() {
    const { list } = this.dataset;
    history.replaceState(null, "", list); // what a reload, or the way back to this page, shows
    this.addEventListener("click", (event) => {
      const button = event.target.closest("[data-copies]");
      if (button) this.copy(document.getElementById(button.dataset.copies));
    });
    // A browser may keep the whole page for the way back to it, and then the key with it.
    window.addEventListener("pagehide", () => this.forget());
    window.addEventListener("pageshow", (event) => event.persisted && location.replace(list));
    const key = this.querySelector("input");
    key.focus();
    key.select();
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

  forget() {
    for (const input of this.querySelectorAll("input")) {
      input.value = "";
      input.removeAttribute("value");
    }
  }
}

customElements.define("folio-new-token", NewToken);
