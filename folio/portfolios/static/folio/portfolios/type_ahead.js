// A box that offers rows by what is typed into it: one is chosen, or several in an order. The pattern is ARIA's
// combobox with a list; what is chosen stand before it with hidden inputs, so that a form sends them as it sends any other.

import { fill, placeByKey, say, send } from "../admin/page.js";

const WAIT = 150; // milliseconds without a key before the server is asked

class TypeAhead {
  constructor(root) {
    this.root = root;
    this.texts = root.dataset;
    this.isSeveral = "several" in root.dataset;
    this.choices = root.querySelector(".folio-choices");
    this.box = root.querySelector("[role=combobox]");
    this.list = root.querySelector("[role=listbox]");
    this.note = root.querySelector(".folio-type-ahead-note");
    this.active = -1;
    this.box.addEventListener("input", () => this.search(WAIT));
    this.box.addEventListener("click", () => this.list.hidden && this.search(0));
    this.box.addEventListener("keydown", (event) => this.type(event));
    this.box.addEventListener("blur", () => this.leave());
    this.list.addEventListener("pointerdown", (event) => event.preventDefault()); // keeps the focus in the box
    this.list.addEventListener("click", (event) => this.take(event.target.closest("[role=option]")));
    this.choices.addEventListener("keydown", (event) => this.move(event));
    this.choices.addEventListener("click", (event) => {
      if (event.target.closest(".folio-choice-remove")) this.remove(event.target.closest(".folio-choice"));
    });
    root.querySelector(".folio-type-ahead-box").addEventListener("click", (event) => {
      if (event.target === event.currentTarget || event.target === this.choices) this.box.focus();
    });
    if (this.isSeveral && window.Sortable) {
      window.Sortable.create(this.choices, {
        animation: 120,
        filter: ".folio-choice-remove",
        preventOnFilter: false,
        onEnd: ({ item, oldIndex, newIndex }) => oldIndex !== newIndex && this.tellMove(item),
      });
    }
  }

  // What is found

  search(wait) {
    clearTimeout(this.timer);
    this.asking?.abort();
    this.note.hidden = true;
    this.active = -1; // what is still shown answers an older question
    this.list.querySelector("[aria-selected=true]")?.setAttribute("aria-selected", "false");
    this.timer = setTimeout(() => this.ask(), wait);
  }

  async ask() {
    const term = this.box.value.trim();
    const asking = (this.asking = new AbortController());
    const slow = setTimeout(() => this.show([], this.texts.searching), 400);
    try {
      const url = `${this.texts.search}&term=${encodeURIComponent(term)}`;
      const { results } = await send(url, {}, { method: "GET", signal: asking.signal });
      clearTimeout(slow);
      if (this.asking !== asking || document.activeElement !== this.box) return;
      this.offer(term, results);
    } catch (error) {
      clearTimeout(slow);
      if (error.name === "AbortError") return;
      this.show(this.creation(term, []), error.message);
      say(error.message);
    }
  }

  offer(term, results) {
    const chosen = new Set(this.ids());
    const found = results.filter(({ id }) => !chosen.has(id)).map(({ id, text }) => ({ id, text, label: text }));
    const options = [...found, ...this.creation(term, results)];
    this.show(options, options.length ? "" : this.texts.nothing);
    say(found.length ? fill(this.texts.found, { count: found.length }) : options[0]?.label ?? this.texts.nothing);
    if (term && options.length) this.point(likely(term, options));
  }

  creation(term, results) {
    const isThere = results.some(({ text }) => text === term) || this.names().includes(term);
    return this.texts.make && term && !isThere ? [{ text: term, label: fill(this.texts.create, { name: term }) }] : [];
  }

  show(options, message) {
    this.options = options;
    this.list.replaceChildren(
      ...options.map((option, index) => {
        const item = document.createElement("li");
        item.id = `${this.list.id}_${index}`;
        item.setAttribute("role", "option");
        item.setAttribute("aria-selected", "false");
        if (!option.id) item.className = "folio-type-ahead-create";
        item.textContent = option.label;
        return item;
      }),
    );
    if (message) {
      const item = document.createElement("li");
      item.className = "folio-type-ahead-message";
      item.setAttribute("role", "option");
      item.setAttribute("aria-disabled", "true");
      item.textContent = message;
      this.list.prepend(item);
    }
    this.active = -1;
    this.box.removeAttribute("aria-activedescendant");
    this.list.hidden = false;
    this.box.setAttribute("aria-expanded", "true");
  }

  hide() {
    clearTimeout(this.timer);
    this.asking?.abort();
    this.list.hidden = true;
    this.box.setAttribute("aria-expanded", "false");
    this.box.removeAttribute("aria-activedescendant");
    this.active = -1;
  }

  point(index) {
    const items = [...this.list.querySelectorAll("[role=option]:not([aria-disabled])")];
    if (!items.length) return;
    this.active = (index + items.length) % items.length;
    items.forEach((item, place) => item.setAttribute("aria-selected", String(place === this.active)));
    items[this.active].scrollIntoView({ block: "nearest" });
    this.box.setAttribute("aria-activedescendant", items[this.active].id);
  }

  // What is typed

  type(event) {
    if (event.isComposing) return;
    const isOpen = !this.list.hidden;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (isOpen) this.point(this.active + (event.key === "ArrowDown" ? 1 : -1));
      else this.search(0);
    } else if (event.key === "Enter" && (isOpen || this.box.value)) {
      event.preventDefault(); // it chooses, and does not send the form
      if (isOpen && this.active >= 0) this.take(this.list.querySelector("[aria-selected=true]"));
      else this.search(0);
    } else if (event.key === "Escape" && (isOpen || this.box.value)) {
      event.preventDefault();
      event.stopPropagation();
      if (!isOpen) this.box.value = "";
      this.note.hidden = true;
      this.hide();
    } else if (event.key === "Backspace" && !this.box.value && this.choices.lastElementChild) {
      event.preventDefault();
      this.choices.lastElementChild.querySelector(".folio-choice-name").focus();
    }
  }

  leave() {
    this.hide();
    const name = this.box.value.trim();
    this.note.hidden = !name;
    this.note.textContent = name ? fill(this.texts.open, { name }) : "";
  }

  // What is chosen

  ids() {
    return [...this.choices.querySelectorAll("input")].filter((input) => input.name === this.texts.name).map((input) => input.value);
  }

  names() {
    return [...this.choices.querySelectorAll(".folio-choice-name")].map((name) => name.textContent);
  }

  async take(item) {
    const option = item && this.options[[...this.list.querySelectorAll("[role=option]:not([aria-disabled])")].indexOf(item)];
    if (!option) return;
    if (option.id) {
      this.choose(option, this.texts.chosen);
      return;
    }
    this.box.readOnly = true;
    try {
      this.choose(await send(this.texts.make, { name: option.text }), this.texts.created);
    } catch (error) {
      this.hide();
      this.note.textContent = error.message;
      this.note.hidden = false;
      say(error.message);
    } finally {
      this.box.readOnly = false;
    }
  }

  choose({ id, text }, message) {
    if (!this.isSeveral) this.choices.replaceChildren();
    if (!this.ids().includes(id)) this.choices.append(this.choice(id, text));
    this.box.value = "";
    this.note.hidden = true;
    this.hide();
    this.box.focus();
    say(fill(message, { name: text }));
    this.changed();
  }

  choice(id, text) {
    const choice = this.root.querySelector("template").content.firstElementChild.cloneNode(true);
    const [pk, name] = choice.querySelectorAll("input");
    // A row that was added to a form has its own name, which the template's copy had before.
    pk.name = this.texts.name;
    name.name = `${this.texts.name}-names`;
    [pk.value, name.value] = [id, text];
    choice.querySelector(".folio-choice-name").textContent = text;
    choice.querySelector(".folio-choice-remove").setAttribute("aria-label", fill(this.texts.remove, { name: text }));
    return choice;
  }

  remove(choice) {
    const name = choice.querySelector(".folio-choice-name").textContent;
    const next = choice.nextElementSibling ?? choice.previousElementSibling;
    choice.remove();
    (next?.querySelector(".folio-choice-name") ?? this.box).focus();
    say(fill(this.texts.removed, { name }));
    this.changed();
  }

  move(event) {
    const choice = event.target.closest(".folio-choice");
    if (!choice || !event.target.matches(".folio-choice-name")) return;
    if (event.key === "Delete" || event.key === "Backspace") {
      event.preventDefault();
      this.remove(choice);
      return;
    }
    const choices = [...this.choices.children];
    const from = choices.indexOf(choice);
    const to = placeByKey(event, from, choices.length);
    if (to === undefined || !this.isSeveral) return;
    event.preventDefault();
    if (to === from) return;
    if (to < from) choices[to].before(choice);
    else choices[to].after(choice);
    event.target.focus();
    this.tellMove(choice);
  }

  tellMove(choice) {
    const place = [...this.choices.children].indexOf(choice) + 1;
    const name = choice.querySelector(".folio-choice-name").textContent;
    say(fill(this.texts.moved, { name, place, count: this.choices.children.length }));
    this.changed();
  }

  changed() {
    this.root.dispatchEvent(new Event("change", { bubbles: true }));
  }
}

/** Return which option Enter shall take: what was typed in full, else what begins so, else the first that was found. */
function likely(term, options) {
  const typed = term.toLowerCase();
  const tests = [
    ({ id, text }) => id && text.toLowerCase() === typed,
    ({ id, text }) => id && text.toLowerCase().startsWith(typed),
  ];
  // A new one comes last: it is taken only where nothing was found, or the arrow keys lead to it.
  return Math.max(0, ...tests.map((test) => options.findIndex(test)).filter((index) => index >= 0).slice(0, 1));
}

function start(root) {
  for (const element of root.querySelectorAll(".folio-type-ahead:not([data-started])")) {
    if (element.querySelector("[role=combobox]").id.includes("__prefix__")) continue;
    element.dataset.started = "";
    new TypeAhead(element);
  }
}

start(document);
document.addEventListener("formset:added", (event) => start(event.target));
