// A portfolio's images in their order: added, moved and removed by mouse, finger or keyboard.

import { announce, elementOf, fill, nameControls, number, part, placeByKey, say } from "../admin/page.js";
import { Uploads, acceptDrops } from "./library-uploads.js";
import { saveTexts } from "./library-texts.js";
import { pick } from "./picker-dialog.js";
import { labelOf, pictureOf, tellForm } from "./picker-parts.js";

export class Gallery extends HTMLElement {
  connectedCallback() {
    if (this.list) return; // moved within the page
    this.list = part(this, "images");
    for (const item of this.list.children) nameControls(item, item.dataset.name);
    this.renumber();
    saveTexts(this);
    const choose = part(this, "choose");
    if (!choose) return;
    choose.addEventListener("click", () => this.choose());
    this.list.addEventListener("click", (event) => this.clicked(event));
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
      filter: "input, button",
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
    const { id, name, alt, texts } = option.dataset;
    const item = part(this, "new-image").content.firstElementChild.cloneNode(true);
    Object.assign(item.dataset, { id, name });
    part(item, "value").value = id;
    part(item, "kept-name").value = name;
    part(item, "picture").replaceChildren(pictureOf(option));
    const text = item.querySelector(".folio-text");
    if (text) {
      text.dataset.url = texts;
      text.querySelector("input").value = alt;
    } else {
      item.querySelector(".folio-text-fixed").textContent = alt;
    }
    nameControls(item, name);
    return item;
  }

  clicked(event) {
    const button = event.target.closest("button");
    const item = button?.closest("li");
    if (!item) return;
    if (button.dataset.part === "remove") this.take(item);
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
  }
}
