// A box for Markdown: buttons and keys that put in its marks, and beside it what comes of it, as the server renders it.

import { pick } from "../media/picker-dialog.js";
import { announce, part, placeByKey, send } from "../admin/page.js";
import * as marks from "./markdown-marks.js";

const TYPING = 400; // ms of rest after which the preview follows
const SHOWN = "folio-markdown-preview"; // whether this browser's user wants to see it
const WIDE = "(min-width: 1100px)"; // where there is room for it beside the box
const IS_MAC = /Mac|iP/.test(navigator.platform);
const KEYS = { b: "bold", i: "italic", k: "link" };

class MarkdownBox extends HTMLElement {
  connectedCallback() {
    this.box = this.querySelector("textarea");
    this.bar = part(this, "bar");
    this.preview = part(this, "preview");
    this.buttons = [...this.bar.querySelectorAll("button")];
    for (const button of this.buttons) this.name(button);
    this.settle(this.buttons[0]);
    this.bar.addEventListener("keydown", (event) => this.go(event));
    this.bar.addEventListener("click", (event) => this.press(event.target.closest("button")));
    this.box.addEventListener("keydown", (event) => this.key(event));
    this.box.addEventListener("input", () => this.follow());
    this.show(localStorage.getItem(SHOWN) ? localStorage.getItem(SHOWN) === "true" : matchMedia(WIDE).matches);
  }

  // The buttons

  /** Say of a button by which keys it is reached too. */
  name(button) {
    const key = button.dataset.key;
    if (!key) return;
    button.setAttribute("aria-keyshortcuts", `${IS_MAC ? "Meta" : "Control"}+${key}`);
    button.title = `${button.title} (${IS_MAC ? "⌘" : "Ctrl+"}${key})`;
  }

  /** Let Tab lead to one button; the arrows lead to the others. */
  settle(button) {
    for (const each of this.buttons) each.tabIndex = each === button ? 0 : -1;
  }

  go(event) {
    const to = placeByKey(event, this.buttons.indexOf(event.target), this.buttons.length);
    if (to === undefined) return;
    event.preventDefault();
    this.settle(this.buttons[to]);
    this.buttons[to].focus();
  }

  press(button) {
    if (!button) return;
    this.settle(button);
    if (button.dataset.part === "show") {
      this.show(button.getAttribute("aria-pressed") !== "true");
      localStorage.setItem(SHOWN, button.getAttribute("aria-pressed"));
    } else {
      this.mark(button.dataset.mark);
    }
  }

  mark(name) {
    if (name === "picture") this.choose();
    else if (name === "bold") this.put(marks.wrap(this.state(), "**"));
    else if (name === "italic") this.put(marks.wrap(this.state(), "*"));
    else this.put(marks[name](this.state()));
  }

  async choose() {
    const state = this.state(); // before the dialog takes the focus
    try {
      const chosen = await pick(this.dataset.library, { only: "image", label: this.dataset.label });
      if (!chosen) return;
      const { text } = await send(this.dataset.url, { media: Number(chosen[0].dataset.id) });
      this.put(marks.picture(state, text));
    } catch (error) {
      announce(error.message, "error");
    }
  }

  // The text

  state() {
    const { value, selectionStart, selectionEnd } = this.box;
    return { text: value, start: selectionStart, end: selectionEnd };
  }

  /** Change the text as typing does: the browser can undo it then, which it can't after any other change by a script. */
  put({ from, to, put, start, end }) {
    this.box.focus();
    this.box.setSelectionRange(from, to);
    const isDone = put || from !== to ? document.execCommand(put ? "insertText" : "delete", false, put) : true;
    if (!isDone) {
      this.box.setRangeText(put, from, to);
      this.box.dispatchEvent(new Event("input", { bubbles: true }));
    }
    this.box.setSelectionRange(start, end);
  }

  key(event) {
    if (event.isComposing) return;
    if (event.key === "Enter" && !event.shiftKey && !event.ctrlKey && !event.metaKey && !event.altKey) {
      const change = marks.nextLine(this.state());
      if (!change) return;
      event.preventDefault();
      this.put(change);
      return;
    }
    const isOurs = IS_MAC ? event.metaKey && !event.ctrlKey : event.ctrlKey && !event.metaKey;
    if (!isOurs || event.altKey || event.shiftKey) return;
    // A keyboard of another script has other letters on these keys.
    const name = KEYS[event.key.toLowerCase()] ?? (/[a-z]/i.test(event.key) ? null : KEYS[event.code.slice(3).toLowerCase()]);
    if (!name) return;
    event.preventDefault();
    this.mark(name);
  }

  // The preview

  show(isShown) {
    part(this, "show").setAttribute("aria-pressed", String(isShown));
    this.preview.hidden = !isShown;
    this.classList.toggle("folio-markdown-shown", isShown);
    if (isShown) this.render();
  }

  follow() {
    clearTimeout(this.timer);
    if (!this.preview.hidden) this.timer = setTimeout(() => this.render(), TYPING);
  }

  async render() {
    this.request?.abort(); // only the last text counts
    this.request = new AbortController();
    const text = this.box.value;
    try {
      const { html } = text.trim() ? await send(this.dataset.url, { text }, { signal: this.request.signal }) : { html: "" };
      this.preview.innerHTML = html; // which the server has made safe
      for (const link of this.preview.querySelectorAll("a")) link.target = "_blank"; // or the form would be left
      this.preview.classList.toggle("folio-markdown-empty", !html);
    } catch (error) {
      if (error.name !== "AbortError") this.preview.textContent = error.message;
    }
  }
}

customElements.define("folio-markdown", MarkdownBox);
