// The library in a dialog: search, types, uploads, and the keyboard; one dialog serves all pickers of a page.

import { announce, elementOf, fill, part, placeByKey, send } from "../admin/page.js";
import { Uploads, acceptDrops, chooseFiles } from "./library-uploads.js";

const TYPING = 250; // ms of rest after which a search is sent

/** Ask the user for media and return the options that were chosen (elements), or null where it was given up. */
export async function pick(library, { only = "", many = false, label = "" } = {}) {
  const { html, next } = await send(`${library}?dialog&type=${only}`, {}, { method: "GET" });
  const opener = document.activeElement;
  const dialog = new Dialog(elementOf(html), { library, only, many, label });
  document.body.append(dialog.element);
  const chosen = await dialog.open(next);
  dialog.element.remove();
  opener?.focus();
  return chosen;
}

class Dialog {
  constructor(element, { library, only, many, label }) {
    Object.assign(this, { element, library, only, many, type: only, words: "", next: null, request: null });
    this.options = part(element, "options");
    this.chosen = new Map(); // options by id, in the order in which they were chosen
    const title = element.querySelector(".folio-dialog-title");
    title.textContent = label ? `${label}: ${title.dataset[many ? "many" : "one"]}` : title.dataset[many ? "many" : "one"];
    if (many) this.options.setAttribute("aria-multiselectable", "true");
    part(element, "count").hidden = !many;
    this.listen();
  }

  listen() {
    const { element } = this;
    part(element, "close").addEventListener("click", () => this.finish(null));
    part(element, "cancel").addEventListener("click", () => this.finish(null));
    part(element, "take").addEventListener("click", () => this.finish([...this.chosen.values()]));
    part(element, "more").addEventListener("click", () => this.load(true));
    part(element, "types")?.addEventListener("click", (event) => this.narrow(event.target.closest("[data-type]")));
    part(element, "search").addEventListener("input", (event) => this.search(event.target.value));
    // A form is around no dialog here, but Enter in the search must not close what the browser takes for one.
    part(element, "search").addEventListener("keydown", (event) => event.key === "ArrowDown" && this.enter(event));
    element.addEventListener("cancel", (event) => {
      event.preventDefault(); // Escape, as the browser has it
      this.finish(null);
    });
    element.addEventListener("click", (event) => event.target === element && this.finish(null)); // beside it
    this.options.addEventListener("click", (event) => this.toggle(event.target.closest("[role=option]")));
    this.options.addEventListener("dblclick", (event) => this.takeAtOnce(event.target.closest("[role=option]")));
    this.options.addEventListener("keydown", (event) => this.key(event));
    const section = part(element, "uploads");
    if (!section) return;
    this.uploads = new Uploads(section, (answer) => this.show(answer));
    part(element, "upload").addEventListener("click", () => chooseFiles((files) => this.uploads.add(files)));
    acceptDrops(element, part(element, "drop"), (files) => this.uploads.add(files));
  }

  open(next) {
    this.next = next;
    this.settle();
    this.element.showModal();
    part(this.element, "search").focus();
    return new Promise((resolve) => {
      this.resolve = resolve;
    });
  }

  finish(chosen) {
    this.request?.abort();
    this.element.close();
    this.resolve(chosen);
  }

  // What is shown

  search(words) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.words = words;
      this.load(false);
    }, TYPING);
  }

  narrow(chip) {
    if (!chip) return;
    for (const other of part(this.element, "types").children) other.setAttribute("aria-pressed", String(other === chip));
    this.type = chip.dataset.type;
    this.load(false);
  }

  async load(isMore) {
    this.request?.abort(); // only the last question counts
    this.request = new AbortController();
    const asked = new URLSearchParams({ q: this.words, type: this.type, offset: isMore ? this.next : 0 });
    try {
      const { signal } = this.request;
      const { html, next } = await send(`${this.library}?${asked}`, {}, { method: "GET", signal });
      const last = this.options.lastElementChild;
      if (isMore) this.options.insertAdjacentHTML("beforeend", html);
      else this.options.innerHTML = html;
      this.next = next;
      this.settle();
      if (isMore) (last?.nextElementSibling ?? last)?.focus();
    } catch (error) {
      if (error.name !== "AbortError") announce(error.message, "error");
    }
  }

  /** Put right what follows from the options that are there. */
  settle() {
    const seen = new Set();
    for (const option of [...this.options.children]) {
      if (seen.has(option.dataset.id)) option.remove(); // an upload has moved it to the next page meanwhile
      seen.add(option.dataset.id);
      option.setAttribute("aria-selected", String(this.chosen.has(option.dataset.id)));
    }
    const first = this.options.querySelector("[tabindex='0']") ?? this.options.firstElementChild;
    if (first) first.tabIndex = 0; // Tab leads to one, the arrows to the others
    part(this.element, "none").hidden = Boolean(first);
    part(this.element, "more").hidden = this.next === null;
    const count = part(this.element, "count");
    count.textContent = fill(count.dataset.text, { count: this.chosen.size });
    part(this.element, "take").disabled = this.chosen.size === 0;
  }

  /** Show what was just uploaded, chosen already: that is what it was uploaded for. */
  show(answer) {
    this.options.querySelector(`[data-id="${answer.media.id}"]`)?.remove();
    this.options.insertAdjacentHTML("afterbegin", answer.option);
    const option = this.options.firstElementChild;
    if (!this.only || answer.media.type === this.only) this.choose(option, true);
    else this.passOver(option);
    this.settle();
  }

  /** Say of what is stored now that it is no choice here. */
  passOver(option) {
    option.remove();
    announce(fill(this.options.dataset.other, { name: option.dataset.name }), "info");
  }

  // What is chosen

  toggle(option) {
    if (!option) return;
    this.move(option);
    this.choose(option, !this.chosen.has(option.dataset.id));
  }

  choose(option, isChosen) {
    if (!this.many) this.chosen.clear();
    if (isChosen) this.chosen.set(option.dataset.id, option);
    else this.chosen.delete(option.dataset.id);
    this.settle();
  }

  takeAtOnce(option) {
    if (!option || this.many) return;
    this.choose(option, true);
    this.finish([option]);
  }

  // The keyboard

  enter(event) {
    event.preventDefault();
    this.move(this.options.firstElementChild);
  }

  key(event) {
    const option = event.target.closest("[role=option]");
    if (!option) return;
    const all = [...this.options.children];
    const columns = getComputedStyle(this.options).gridTemplateColumns.split(" ").length;
    const to = placeByKey(event, all.indexOf(option), all.length, columns);
    if (to !== undefined) {
      event.preventDefault();
      this.move(all[to]);
    } else if (event.key === " ") {
      event.preventDefault();
      this.toggle(option);
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (this.many) this.toggle(option);
      else this.takeAtOnce(option);
    }
  }

  move(option) {
    if (!option) return;
    for (const other of this.options.querySelectorAll("[tabindex='0']")) other.tabIndex = -1;
    option.tabIndex = 0;
    option.focus();
  }
}
