// The page that shows a secret once: it is the answer to a form, and reloading must not send that again.

import { announce, copy } from "../admin/page.js";

class Secret extends HTMLElement {
  connectedCallback() {
    const { next } = this.dataset;
    history.replaceState(null, "", next); // what a reload, or the way back to this page, shows
    this.addEventListener("click", (event) => {
      const button = event.target.closest("[data-copies]");
      if (button) this.copy(document.getElementById(button.dataset.copies));
    });
    // A browser may keep the whole page for the way back to it, and then the secret with it.
    window.addEventListener("pagehide", () => this.forget());
    window.addEventListener("pageshow", (event) => event.persisted && location.replace(next));
    const secret = this.querySelector("input");
    secret.focus();
    secret.select();
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

customElements.define("folio-secret", Secret);
