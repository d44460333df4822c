// The lists within a form: rows are added, removed (and brought back), and ordered by a handle or by the keyboard.
// Rows keep their numbers in the form's names whatever becomes of them, so that nothing typed is ever copied.

import { fill, say } from "../admin/page.js";

class Rows {
  constructor(root) {
    this.root = root;
    this.list = root.querySelector(".folio-rows-list");
    this.template = this.list.querySelector("template");
    this.total = root.querySelector(`[name=${root.dataset.prefix}-TOTAL_FORMS]`);
    this.isOrdered = this.rows().some((row) => row.classList.contains("folio-row-wrong")); // keep what was sent
    root.classList.add("folio-rows-scripted");
    root.querySelector(".folio-rows-add")?.addEventListener("click", () => this.add());
    this.list.addEventListener("click", (event) => this.press(event));
    for (const row of this.rows()) if (remover(row)?.checked) this.remove(row, false);
    this.arrange();
    window.Sortable?.create(this.list, {
      animation: 120,
      draggable: ".folio-row",
      handle: ".folio-row-handle",
      onEnd: ({ item, oldIndex, newIndex }) => oldIndex !== newIndex && this.moved(item),
    });
    this.number();
  }

  rows() {
    return [...this.list.querySelectorAll(":scope > .folio-row")];
  }

  kept() {
    return this.rows().filter((row) => !remover(row)?.checked);
  }

  add() {
    const row = this.template.content.firstElementChild.cloneNode(true);
    const number = this.total.value;
    for (const element of row.querySelectorAll("*")) {
      for (const attribute of element.attributes) {
        if (attribute.value.includes("__prefix__")) attribute.value = attribute.value.replaceAll("__prefix__", number);
      }
    }
    this.total.value = Number(number) + 1;
    this.list.append(row);
    row.dispatchEvent(new CustomEvent("formset:added", { bubbles: true, detail: { formsetName: this.root.dataset.prefix } }));
    say(this.root.dataset.added);
    row.querySelector(".folio-row-fields input:not([type=hidden])").focus();
    this.changed();
  }

  press(event) {
    const button = event.target.closest("button");
    const row = button?.closest(".folio-row");
    if (!row) return;
    if (button.matches(".folio-row-up, .folio-row-down")) this.step(row, button);
    if (button.matches(".folio-row-remove")) this.remove(row);
    if (button.matches(".folio-row-restore")) this.restore(row);
  }

  step(row, button) {
    const isUp = button.matches(".folio-row-up");
    const kept = this.kept();
    const other = kept[kept.indexOf(row) + (isUp ? -1 : 1)];
    if (!other) return;
    if (isUp) other.before(row);
    else other.after(row);
    this.moved(row);
    // At an end, the button is none any more: the other one takes the focus.
    if (button.disabled) row.querySelector(isUp ? ".folio-row-down" : ".folio-row-up").focus();
    else button.focus();
  }

  moved(row) {
    this.isOrdered = true;
    const kept = this.kept();
    const values = { name: this.name(row), place: kept.indexOf(row) + 1, count: kept.length };
    say(fill(this.root.dataset.moved, values));
    this.changed();
  }

  remove(row, isNow = true) {
    remover(row).checked = true;
    row.classList.add("folio-row-removed");
    const gone = row.querySelector(".folio-row-gone");
    gone.hidden = false;
    const text = fill(this.root.dataset.removed, { name: this.name(row) });
    gone.querySelector("span").textContent = text;
    if (!isNow) return;
    gone.querySelector("button").focus();
    say(text);
    this.changed();
  }

  restore(row) {
    remover(row).checked = false;
    row.classList.remove("folio-row-removed");
    row.querySelector(".folio-row-gone").hidden = true;
    row.querySelector(".folio-row-remove").focus();
    say(fill(this.root.dataset.restored, { name: this.name(row) }));
    this.changed();
  }

  /** Show rows that were sent and came back with errors in the order that they had. */
  arrange() {
    const place = (row) => (placeOf(row)?.value ? Number(placeOf(row).value) : Infinity);
    const rows = this.rows();
    const sorted = [...rows].sort((one, other) => place(one) - place(other) || 0);
    if (sorted.some((row, index) => row !== rows[index])) this.list.append(...sorted);
  }

  number() {
    const kept = this.kept();
    kept.forEach((row, index) => {
      row.querySelector(".folio-row-number").textContent = index + 1;
      row.querySelector(".folio-row-up").disabled = index === 0;
      row.querySelector(".folio-row-down").disabled = index === kept.length - 1;
      for (const name of ["up", "down", "remove"]) {
        const button = row.querySelector(`.folio-row-${name}`);
        button.dataset.label ??= button.getAttribute("aria-label");
        button.setAttribute("aria-label", `${button.dataset.label}: ${this.name(row)}`);
      }
      if (this.isOrdered && placeOf(row)) placeOf(row).value = index;
    });
  }

  name(row) {
    const typed = row.querySelector(".folio-row-fields input:not([type=hidden])")?.value.trim();
    return typed ? `“${typed}”` : fill(this.root.dataset.nameless, { number: this.rows().indexOf(row) + 1 });
  }

  changed() {
    this.number();
    this.list.dispatchEvent(new Event("change", { bubbles: true }));
  }
}

function remover(row) {
  return row.querySelector("[name$=-DELETE]");
}

function placeOf(row) {
  return row.querySelector("[name$=-place]");
}

for (const root of document.querySelectorAll(".folio-rows:has(.folio-row-up), .folio-rows:has(template)")) new Rows(root);
