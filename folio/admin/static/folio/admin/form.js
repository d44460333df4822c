// A form that loses nothing: it warns before leaving, and asks whether one is still signed in before it is sent.

import { announce, csrfToken, fill, send } from "./page.js";

class Form {
  constructor(form, dialog) {
    this.form = form;
    this.dialog = dialog;
    this.isLeaving = false;
    form.addEventListener("submit", (event) => this.submit(event));
    window.addEventListener("beforeunload", (event) => {
      if (!this.isLeaving && this.isChanged()) event.preventDefault();
    });
    window.addEventListener("pageshow", (event) => event.persisted && this.wait(false)); // came back to
    this.dialog.querySelector("[data-again]").addEventListener("click", () => {
      this.dialog.close();
      this.form.requestSubmit(this.submitter);
    });
    this.dialog.querySelector("[data-close]").addEventListener("click", () => this.dialog.close());
    document.addEventListener("keydown", (event) => {
      if (event.key.toLowerCase() !== "s" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
      const button = document.querySelector(`[form="${form.id}"][name=_continue]`);
      if (!button || document.querySelector("dialog:modal")) return;
      event.preventDefault();
      this.form.requestSubmit(button);
    });
    // Other scripts may still arrange what is shown, which is no change of the user's.
    window.addEventListener("load", () => (this.shown = this.values()));
    this.shown = this.values();
  }

  values() {
    const entries = [...new FormData(this.form)].filter(([name]) => name !== "csrfmiddlewaretoken");
    return JSON.stringify(entries.map(([name, value]) => [name, value instanceof File ? value.name : value]));
  }

  isChanged() {
    return "changed" in this.dialog.dataset || this.values() !== this.shown;
  }

  async submit(event) {
    if (this.isSure) {
      this.isLeaving = true;
      return;
    }
    event.preventDefault();
    if (this.isWaiting) return;
    if (this.form.querySelector(".folio-upload:is([data-state=waiting], [data-state=going])")) {
      announce(this.dialog.dataset.uploading, "error");
      return;
    }
    const boxes = [...this.form.querySelectorAll(".folio-type-ahead [role=combobox]")];
    const open = boxes.find((box) => box.value.trim()); // typed and not chosen: it would not be sent
    if (open) {
      open.focus();
      open.scrollIntoView({ block: "center" });
      announce(fill(open.closest(".folio-type-ahead").dataset.open, { name: open.value.trim() }), "error");
      return;
    }
    this.submitter = event.submitter;
    this.wait(true);
    const problem = await this.ask();
    if (!problem) {
      this.isSure = true;
      this.form.requestSubmit(this.submitter);
      this.isSure = false;
      setTimeout(() => this.wait(false), 10_000); // the way to the server broke: let it be tried again
      return;
    }
    this.wait(false);
    for (const part of this.dialog.querySelectorAll("[data-when]")) part.hidden = part.dataset.when !== problem;
    this.dialog.showModal();
  }

  /** Return what stands against sending the form, if anything; the token that it needs may have changed. */
  async ask() {
    try {
      const { user, token } = await send(this.dialog.dataset.session, {}, { method: "GET" });
      if (user === null) return "signed-out";
      if (user !== this.dialog.dataset.user) return "another-user";
      this.form.elements.csrfmiddlewaretoken.value = token || csrfToken();
      return "";
    } catch {
      return "unreachable";
    }
  }

  wait(isWaiting) {
    this.isWaiting = isWaiting;
    for (const button of document.querySelectorAll(`[form="${this.form.id}"][type=submit]`)) {
      button.toggleAttribute("aria-disabled", isWaiting);
    }
  }
}

const dialog = document.getElementById("folio-signed-out");
new Form(document.getElementById(dialog.dataset.form), dialog);

const problems = document.getElementById("folio-problems");
problems?.focus();
problems?.addEventListener("click", (event) => {
  const target = event.target.closest("a") && document.getElementById(event.target.closest("a").hash.slice(1));
  if (!target) return;
  event.preventDefault();
  target.focus();
  target.scrollIntoView({ block: "center" });
});
