// A portfolio's images in their order: added, moved and removed by mouse, finger or keyboard.

import { announce, elementOf, fill, nameControls, number, part, placeByKey, say } from "../admin/page.js";
import { Uploads, acceptDrops } from "./library-uploads.js";
import { saveTexts } from "./library-texts.js";
import { pick } from "./picker-dialog.js";
import { openPanel } from "./panel-open.js";
import { labelOf, nameOpener, pictureOf, pressed, tellForm, tellTexts } from "./picker-parts.js";

export class Gallery extends HTMLElement {
  connectedCallback() {
    if (this.list) return; // moved within the page
    this.list = part(this, "images");
    for (const item of this.list.children) this.nameParts(item);
    this.watchCover();
    this.renumber();
    saveTexts(this, "", () => this.tellLacking());
    this.addEventListener("described", () => this.tellLacking());
    part(this, "describe")?.addEventListener("click", () => this.look(this.items.find(isLacking)));
    this.list.addEventListener("keydown", (event) => {
      if (event.target.dataset.part === "picture" && pressed(event)) this.look(event.target.closest("li"));
    });
    this.list.addEventListener("click", (event) => this.clicked(event));
    const choose = part(this, "choose");
    if (!choose) return;
    choose.addEventListener("click", () => this.choose());
    this.list.addEventListener("keydown", (event) => this.key(event));
    this.uploads = new Uploads(part(this, "uploads"), (answer, place) => this.uploaded(answer, place));
    this.addEventListener("over", () => this.renumber());
    acceptDrops(this, null, (files) => {
      this.uploads.add(files);
      part(this, "empty").hidden = true; // what is on its way is about to stand here
    });
    this.drag();
  }

  get items() {
    return [...this.list.children];
  }

  drag() {
    // A finger that swipes over the gallery scrolls the page; one that rests on an image takes it along.
    window.Sortable?.create(this.list, {
      animation: 150,
      delay: 150,
      delayOnTouchOnly: true,
      filter: "input, button", // the picture itself is none, or Firefox would not drag it
      preventOnFilter: false,
      ghostClass: "folio-gallery-ghost",
      onEnd: ({ item, oldIndex, newIndex }) => oldIndex !== newIndex && this.moved(item),
    });
  }

  async choose() {
    try {
      const chosen = await pick(this.dataset.library, { only: this.dataset.only, many: true, label: labelOf(this) });
      if (chosen) this.add(chosen);
    } catch (error) {
      announce(error.message, "error");
    }
  }

  /** Take in what was uploaded; return what is to be said of it where it can't be. */
  uploaded(answer, place) {
    if (answer.media.type === "image") {
      this.add([elementOf(answer.option)], place);
      return "";
    }
    const sentence = fill(this.dataset.notImage, { name: answer.media.name });
    announce(sentence, "error");
    return sentence;
  }

  /** Add images at the end; one that was uploaded, by its place among the uploads, before those that came after it. */
  add(options, upload = Infinity) {
    const there = new Set(this.items.map((item) => item.dataset.id));
    const isNew = (option) => !there.has(option.dataset.id);
    const names = (some) => some.map((option) => option.dataset.name).join(", ");
    const [added, known] = [options.filter(isNew), options.filter((option) => !isNew(option))];
    const after = this.items.find((item) => Number(item.dataset.upload) > upload) ?? null;
    for (const option of added) {
      const item = this.item(option);
      if (Number.isFinite(upload)) item.dataset.upload = upload;
      this.list.insertBefore(item, after);
    }
    if (known.length) announce(fill(this.dataset.there, { names: names(known) }), "info");
    if (!added.length) return;
    say(fill(this.dataset.added, { names: names(added) }));
    this.changed();
  }

  item(option) {
    const { id, name, alt, texts, facts, panel } = option.dataset;
    const item = part(this, "new-image").content.firstElementChild.cloneNode(true);
    Object.assign(item.dataset, { id, name, facts, panel });
    part(item, "value").value = id;
    part(item, "kept-name").value = name;
    part(item, "picture").replaceChildren(pictureOf(option));
    if (this.dataset.captions) part(item, "caption").name = `${this.dataset.captions}-${id}`;
    const text = item.querySelector(".folio-text");
    if (text) {
      text.dataset.url = texts;
      text.querySelector("input").value = alt;
    } else {
      item.querySelector(".folio-text-fixed").textContent = alt;
    }
    this.nameParts(item);
    return item;
  }

  nameParts(item) {
    nameControls(item, item.dataset.name);
    const picture = part(item, "picture");
    nameOpener(picture, fill(picture.dataset.open, { name: item.dataset.name }));
  }

  clicked(event) {
    const item = event.target.closest("li");
    const button = event.target.closest("button");
    if (!button && event.target.closest('[data-part="picture"]')) this.look(item);
    if (!item || !button) return;
    if (button.dataset.part === "remove") this.take(item);
    else if (button.dataset.part === "cover") this.useAsCover(item);
    else if (button.dataset.move) this.put(item, this.items.indexOf(item) + Number(button.dataset.move), button);
  }

  take(item) {
    const next = item.nextElementSibling ?? item.previousElementSibling;
    item.remove();
    say(fill(this.dataset.removed, { name: item.dataset.name }));
    (next ? part(next, "remove") : part(this, "choose")).focus();
    this.changed();
  }

  key(event) {
    if (event.target.matches("input")) return;
    const item = event.target.closest("li");
    const items = this.items;
    const to = placeByKey(event, items.indexOf(item), items.length);
    if (to === undefined) return;
    event.preventDefault();
    this.put(item, to, event.target);
  }

  put(item, to, focused) {
    const items = this.items;
    const from = items.indexOf(item);
    if (to === from || !(to in items)) return;
    if (to > from) items[to].after(item);
    else items[to].before(item);
    focused.focus(); // moving an element takes the focus off it
    this.moved(item);
  }

  moved(item) {
    const items = this.items;
    for (const each of items) delete each.dataset.upload; // the order is the user's own from now on
    const place = items.indexOf(item) + 1;
    say(fill(this.dataset.moved, { name: item.dataset.name, place, count: items.length }));
    this.changed();
  }

  changed() {
    if (this.isCoverFirst) this.coverFirst();
    this.renumber();
    tellForm(part(this, "none"));
  }

  renumber() {
    const items = this.items;
    for (const [index, item] of items.entries()) {
      part(item, "place").textContent = number(index + 1);
      const [first, second] = item.querySelectorAll("[data-move]");
      if (first) first.setAttribute("aria-disabled", String(index === 0));
      if (second) second.setAttribute("aria-disabled", String(index === items.length - 1));
    }
    part(this, "empty").hidden = items.length > 0 || this.uploads?.isBusy;
    this.tellCover();
    this.tellLacking();
  }

  // The cover

  /** Find the form's field for the cover. Of a new entry it is the first picture, until someone chooses or removes it. */
  watchCover() {
    const input = this.closest("form")?.elements[this.dataset.cover || " "];
    this.cover = input?.closest?.("folio-media");
    if (!this.cover) return;
    this.isCoverFirst = "ofNew" in this.dataset && !input.value && !this.items.length;
    input.addEventListener("change", () => {
      if (!this.isCovering) this.isCoverFirst = false;
      this.tellCover();
    });
  }

  coverFirst() {
    const [first] = this.items;
    if (first?.dataset.id === this.cover.dataset.id || (!first && !this.cover.dataset.id)) return;
    this.isCovering = true;
    if (first) this.cover.show(first, this.dataset.covers);
    else this.cover.clear();
    this.isCovering = false;
  }

  useAsCover(item) {
    if (item.dataset.id !== this.cover.dataset.id) this.cover.show(item, this.dataset.covers);
    else this.isCoverFirst = false; // what it was by itself is now a choice
  }

  tellCover() {
    for (const item of this.items) {
      const isCover = Boolean(this.cover?.dataset.id) && item.dataset.id === this.cover.dataset.id;
      part(item, "cover")?.setAttribute("aria-pressed", String(isCover));
    }
  }

  // The panel

  look(item) {
    if (item?.dataset.panel) openPanel(this.shelf, item);
  }

  get shelf() {
    return {
      items: () => this.items,
      picture: (item) => part(item, "picture"),
      caption: (item) => part(item, "caption"),
      captioned: (item) => this.tellCaption(item),
      cover: this.cover && {
        has: (item) => item.dataset.id === this.cover.dataset.id,
        use: (item) => this.useAsCover(item),
      },
      saved: (item, answer) => tellTexts(answer, item.dataset.id),
    };
  }

  tellCaption(item) {
    const [shown, { value }] = [part(item, "shown-caption"), part(item, "caption")];
    shown.textContent = value;
    shown.hidden = !value.trim();
  }

  /** Say how many pictures those who can't see them are told nothing of, and mark which. */
  tellLacking() {
    const items = this.items;
    for (const item of items) part(item, "lacks").hidden = !isLacking(item);
    const count = items.filter(isLacking).length;
    part(this, "lack").hidden = !count;
    const words = count === 1 ? this.dataset.lacksOne : this.dataset.lacksMany;
    part(this, "lack-words").textContent = fill(words, { count: number(count) });
  }
}

function isLacking(item) {
  const alt = item.querySelector(".folio-text-alt");
  return !(alt.value ?? alt.textContent).trim();
}
