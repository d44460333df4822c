// The panel of a picture: it opens beside the pictures it is one of, and leads from one to the next.
//
// The pictures are elements with `data-panel` (where the server gives a panel) and `data-name`. What belongs to the page
// and not to the picture, a caption, whether it is the cover, the page's `shelf` knows:
//   items()             the elements, in order
//   picture(item)       what the focus goes back to
//   caption(item)       the form's input with the caption, or null where pictures have none
//   captioned(item)     is told that it has another one now
//   cover               { has(item), use(item) }, or null where there is none to choose
//   saved(item, answer) is told what was saved

import { announce, elementOf, fill, number, part, say, send } from "../admin/page.js";
import { saveTexts } from "./library-texts.js";
import { Focal } from "./panel-focal.js";
import { pictureOf, tellForm } from "./picker-parts.js";

let panel = null; // one for the whole page

/** Open the panel at one of a shelf's items. */
export async function openPanel(shelf, item) {
  try {
    const element = await asked(item);
    panel ??= new Panel(element);
    panel.open(shelf, item, element);
  } catch (error) {
    announce(error.message, "error");
  }
}

async function asked(item) {
  const here = encodeURIComponent(location.pathname);
  const { html } = await send(`${item.dataset.panel}?here=${here}`, {}, { method: "GET" });
  return elementOf(html);
}

class Panel {
  constructor(element) {
    this.element = element;
    document.body.append(element);
    this.settleTexts = saveTexts(
      element,
      "",
      (box, field, answer) => {
        this.tell("saved");
        this.shelf.saved(this.item, answer);
      },
      true,
    );
    this.listen();
  }

  listen() {
    const { element } = this;
    part(element, "close").addEventListener("click", () => this.close());
    part(element, "next").addEventListener("click", () => this.step(1));
    part(element, "previous").addEventListener("click", () => this.step(-1));
    element.addEventListener("cancel", (event) => {
      event.preventDefault(); // Escape: what is typed is saved first
      this.close();
    });
    element.addEventListener("click", (event) => event.target === element && this.clickBeside(event));
    element.addEventListener("keydown", (event) => this.key(event));
    element.addEventListener("input", (event) => event.target.dataset.part === "caption" && this.writeCaption(event.target));
    element.addEventListener("click", (event) => {
      if (event.target.closest('[data-part="cover"]')) this.useAsCover();
    });
  }

  open(shelf, item, content) {
    this.shelf = shelf;
    this.show(item, content);
    if (!this.element.open) this.element.showModal(); // a double click opens twice
    if (this.focal.words) this.focal.show(); // only now have its parts a size
    part(this.element, "title").focus();
  }

  /** Show a picture of the shelf; `content` is its panel as the server gave it. */
  show(item, content) {
    const { element } = this;
    const focused = element.contains(document.activeElement) && document.activeElement.dataset.part;
    this.mark(item);
    if (content !== element) part(element, "body").replaceChildren(...part(content, "body").childNodes);
    part(element, "body").scrollTop = 0;
    part(element, "title").textContent = item.dataset.name;
    part(element, "stand-in")?.append(pictureOf(item));
    this.tell("");
    this.focal = new Focal(element, { tell: (word) => this.tell(word), complain: (sentence) => this.complain(sentence) });
    this.showCaption();
    this.showCover();
    this.showPlace();
    if (focused && focused !== "title") part(element, focused)?.focus({ preventScroll: true });
  }

  mark(item) {
    this.item?.classList.remove("folio-looked-at");
    this.item = item;
    item.classList.add("folio-looked-at");
    item.scrollIntoView({ block: "nearest" });
  }

  showCaption() {
    const input = this.shelf.caption(this.item);
    part(this.element, "captioned").hidden = !input;
    part(this.element, "caption").value = input?.value ?? "";
  }

  writeCaption(box) {
    this.shelf.caption(this.item).value = box.value;
    tellForm(this.shelf.caption(this.item));
    this.shelf.captioned(this.item);
  }

  showCover() {
    const { cover } = this.shelf;
    part(this.element, "covering").hidden = !cover;
    const [button, word] = [part(this.element, "cover"), part(this.element, "cover-word")];
    const isCover = Boolean(cover?.has(this.item));
    button.setAttribute("aria-pressed", String(isCover));
    word.textContent = isCover ? word.dataset.is : word.dataset.use;
  }

  useAsCover() {
    this.shelf.cover.use(this.item);
    this.showCover();
  }

  showPlace() {
    const items = this.shelf.items();
    const [place, at] = [part(this.element, "place"), items.indexOf(this.item)];
    part(this.element, "steps").hidden = items.length < 2;
    place.textContent = fill(place.dataset.text, { place: number(at + 1), count: number(items.length) });
    part(this.element, "previous").setAttribute("aria-disabled", String(at <= 0));
    part(this.element, "next").setAttribute("aria-disabled", String(at === items.length - 1));
  }

  // From one to the next

  key(event) {
    if (event.altKey || event.shiftKey || event.isComposing) return;
    if (event.ctrlKey || event.metaKey) {
      if (event.key.toLowerCase() === "s") this.saveForm(event);
      return;
    }
    const forward = document.dir === "rtl" ? -1 : 1;
    const isTaken = event.target.matches("textarea, input, [role=slider], summary");
    const arrows = isTaken ? {} : { ArrowLeft: -forward, ArrowRight: forward };
    const by = { PageUp: -1, PageDown: 1, ...arrows }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    this.step(by);
  }

  /** Close, and let the page around have the shortcut by which its form is saved. */
  async saveForm(event) {
    event.preventDefault();
    await this.close();
    if (!this.element.open) document.dispatchEvent(new KeyboardEvent("keydown", { key: "s", ctrlKey: true }));
  }

  step(by) {
    const items = this.shelf.items();
    // Keys that are pressed faster than the server answers lead on from where they have led.
    const at = items.indexOf(this.wanted ?? this.item) + by;
    if (at in items) this.go(items[at]);
  }

  async go(item) {
    this.wanted = item;
    try {
      const [content, isSettled] = await Promise.all([asked(item), this.settle()]);
      if (this.wanted !== item) return; // another one is on its way
      this.wanted = null;
      if (!isSettled || !this.element.open) return;
      const { textContent: saved } = part(this.element, "status"); // of what was left
      this.show(item, content);
      say(`${saved} ${item.dataset.name}, ${part(this.element, "place").textContent}`.trim());
    } catch (error) {
      if (this.wanted === item) this.wanted = null;
      this.complain(error.message);
    }
  }

  /** Save what is not saved yet; return whether nothing is left. */
  async settle() {
    const settled = await Promise.all([this.settleTexts(), this.focal.settle()]);
    return settled.every(Boolean);
  }

  clickBeside({ clientX: x, clientY: y }) {
    const isUnder = (item) => {
      const { left, right, top, bottom } = item.getBoundingClientRect();
      return x >= left && x <= right && y >= top && y <= bottom;
    };
    const other = this.shelf.items().find(isUnder); // the page around gets no clicks while the panel is open
    if (other) this.go(other);
    else this.close();
  }

  /** Close; what can't be saved keeps it open once, with the reason. */
  async close() {
    const typed = part(this.element, "alt")?.value;
    if (!(await this.settle()) && this.refused !== typed) {
      this.refused = typed;
      return;
    }
    this.refused = undefined;
    this.wanted = null;
    this.element.close();
    part(this.element, "body").replaceChildren(); // what was refused is given up
    this.item.classList.remove("folio-looked-at");
    this.shelf.picture(this.item)?.focus();
  }

  tell(word) {
    const status = part(this.element, "status");
    status.textContent = word ? status.dataset[word] : "";
    status.classList.remove("folio-look-bad");
  }

  complain(sentence) {
    const status = part(this.element, "status");
    status.textContent = sentence;
    status.classList.add("folio-look-bad");
  }
}
