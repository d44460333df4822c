// The list of portfolios: rows are moved by mouse, touch and keyboard, published and made drafts; each change is saved at once.

import { Refusal, announce, elementOf, fill, number, send } from "../admin/page.js";

const texts = document.getElementById("folio-list-texts")?.dataset;
const list = document.getElementById("result_list");
const menu = document.getElementById("folio-row-menu");
const TOLD = "folio-told"; // what the page that is left has to say on the next one
const FOCUS = "folio-focus";
let stored; // the rows as the server has them
let last = Promise.resolve(); // one move after another, as they were made
let failures = 0;

if (texts) tellWhatWasLeft();
if (texts && list) {
  list.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button?.matches(".folio-switch")) toggle(button);
    if (button?.matches(".folio-more")) open(button);
  });
  if (list.querySelector(".folio-handle")) letRowsBeMoved();
  loadCoversInView();
}

/** Load the covers of rows as they come into view: a browser would load those of the whole page, lazy or not. */
function loadCoversInView() {
  const observer = new IntersectionObserver((seen) => {
    for (const { isIntersecting, target } of seen) {
      if (!isIntersecting) continue;
      observer.unobserve(target);
      if (target.dataset.srcset) target.srcset = target.dataset.srcset;
      target.src = target.dataset.src;
    }
  });
  for (const cover of list.querySelectorAll("img[data-src]")) observer.observe(cover);
}

// Published or not

async function toggle(button) {
  if (button.getAttribute("aria-disabled") === "true") return;
  const isOn = button.getAttribute("aria-checked") !== "true";
  button.setAttribute("aria-checked", isOn);
  button.setAttribute("aria-disabled", "true");
  try {
    await change(button, { publish: isOn });
  } catch (error) {
    button.setAttribute("aria-checked", !isOn);
    tell(error);
  } finally {
    button.removeAttribute("aria-disabled");
  }
}

/** Have the server change the state of a row, show which one it has now, and say so. */
async function change(button, body) {
  const row = rowOf(button);
  const { state, html, moment, freed, told = "" } = await send(button.dataset.url, body);
  row.dataset.state = state;
  button.setAttribute("aria-checked", ["scheduled", "published"].includes(state));
  const stated = elementOf(html);
  row.querySelector(".folio-stated").replaceWith(stated);
  folioMoments.show(stated);
  const values = { title: titleOf(row), moment: moment && folioMoments.words(Date.parse(moment)) };
  announce([fill(texts[state], values), freed ? texts.freed : "", told].filter(Boolean).join(" "));
}

// Moving rows

function rows() {
  return [...list.tBodies].filter((row) => row.querySelector(".folio-handle"));
}

function rowOf(control) {
  return control.closest("tbody");
}

function handleOf(row) {
  return row.querySelector(".folio-handle");
}

function idOf(row) {
  return Number(row.dataset.id);
}

function titleOf(row) {
  return row.querySelector(".folio-title").textContent;
}

function letRowsBeMoved() {
  stored = rows();
  Sortable.create(list, {
    draggable: "tbody",
    handle: ".folio-handle",
    animation: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 120,
    ghostClass: "folio-row-ghost",
    onEnd: ({ item, oldDraggableIndex, newDraggableIndex }) => oldDraggableIndex !== newDraggableIndex && save(item),
  });
  list.addEventListener("keydown", (event) => {
    if (!event.target.matches(".folio-handle") || event.altKey || event.ctrlKey || event.metaKey) return;
    const row = rowOf(event.target);
    const all = rows();
    const from = all.indexOf(row);
    const to = { ArrowUp: from - 1, ArrowDown: from + 1, Home: 0, End: all.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    if (to === from) return;
    if (to < 0 || to >= all.length) moveTo(row, Number(texts.first) + to);
    else put(row, to);
  });
}

/** Let a row of this page stand at an index of it. */
function put(row, to) {
  const others = rows().filter((each) => each !== row);
  if (to < others.length) others[to].before(row);
  else others.at(-1)?.after(row);
  handleOf(row).focus();
  save(row);
}

/** Make a move when those before it are made. One that fails is taken back, with all that were made on top of it. */
function inTurn(move) {
  const before = failures;
  last = last.then(async () => {
    if (failures !== before) return;
    try {
      await move();
    } catch (error) {
      failures += 1;
      const focused = document.activeElement; // which it would not be any more
      list.append(...stored);
      focused.focus();
      tell(error);
    }
  });
}

function save(row) {
  const now = rows();
  const index = now.indexOf(row);
  const other = now[index + 1] ?? now[index - 1];
  const body = { id: idOf(row), shown: now.map(idOf), [now[index + 1] ? "before" : "after"]: idOf(other) };
  inTurn(async () => {
    const answer = await send(texts.reorder + location.search, body);
    stored = now;
    renew(answer.orders);
    announce(fill(texts.moved, { title: titleOf(row), place: number(answer.place) }));
  });
}

function renew(orders) {
  for (const row of rows()) {
    const order = orders[idOf(row)];
    const cell = row.querySelector(".field-order span");
    if (order !== undefined && cell) cell.textContent = order;
  }
}

/** Let a portfolio stand at a place of the whole list, and show the page of it. */
function moveTo(row, place) {
  const wanted = Math.max(1, Math.min(place, Number(texts.count)));
  const from = Number(texts.first) + rows().indexOf(row);
  if (wanted === from) return;
  inTurn(async () => {
    const answer = await send(texts.reorder + location.search, { id: idOf(row), place: wanted });
    sessionStorage.setItem(TOLD, fill(texts.moved, { title: titleOf(row), place: number(answer.place) }));
    sessionStorage.setItem(FOCUS, idOf(row));
    const url = new URL(location.href);
    url.hash = "";
    if (answer.page > 1) url.searchParams.set("p", answer.page);
    else url.searchParams.delete("p");
    location.assign(url);
  });
}

// The menu of a row

function open(button) {
  menu.querySelector("h2").textContent = titleOf(rowOf(button));
  const form = document.getElementById("folio-duplicate");
  form.hidden = !button.dataset.duplicate;
  form.action = button.dataset.duplicate ?? "";
  const field = document.getElementById("folio-place");
  if (field) field.value = Number(texts.first) + rows().indexOf(rowOf(button));
  const atOnce = menu.querySelector("[data-publish]");
  if (atOnce) atOnce.hidden = rowOf(button).dataset.state !== "scheduled";
  menu.opener = button;
  button.setAttribute("aria-expanded", "true");
  menu.showPopover();
  const at = button.getBoundingClientRect();
  const size = menu.getBoundingClientRect();
  const isRtl = document.documentElement.dir === "rtl";
  const left = isRtl ? at.left : at.right - size.width;
  menu.style.left = `${Math.max(8, Math.min(left, innerWidth - size.width - 8))}px`;
  menu.style.top = `${at.bottom + size.height + 8 > innerHeight ? Math.max(8, at.top - size.height - 4) : at.bottom + 4}px`;
  menu.querySelector("input:not([type=hidden]), button:not([hidden])")?.focus();
}

menu?.addEventListener("toggle", (event) => {
  if (event.newState === "open" || !menu.opener) return;
  menu.opener.setAttribute("aria-expanded", "false");
  if (menu.contains(document.activeElement) || document.activeElement === document.body) menu.opener.focus();
});
addEventListener("scroll", () => menu?.matches(":popover-open") && menu.hidePopover(), { passive: true });

document.getElementById("folio-move")?.addEventListener("submit", (event) => {
  event.preventDefault();
  const field = document.getElementById("folio-place");
  if (!event.target.reportValidity()) return;
  menu.hidePopover();
  moveTo(rowOf(menu.opener), field.valueAsNumber);
});
for (const button of menu?.querySelectorAll("[data-move]") ?? []) {
  button.addEventListener("click", () => {
    menu.hidePopover();
    moveTo(rowOf(menu.opener), button.dataset.move === "top" ? 1 : Number(texts.count));
  });
}

menu?.querySelector("[data-publish]")?.addEventListener("click", async () => {
  const button = rowOf(menu.opener).querySelector(".folio-switch");
  menu.hidePopover();
  try {
    await change(button, { publish: true, at_once: true });
  } catch (error) {
    tell(error);
  }
});

// What is told

function tell(error) {
  if (!(error instanceof Refusal)) throw error;
  const words = announce(error.message, "error");
  if (![404, 409].includes(error.status)) return;
  const reload = document.createElement("a");
  reload.href = location.href;
  reload.className = "folio-reload";
  reload.textContent = texts.reload;
  words.append(" ", reload);
}

function tellWhatWasLeft() {
  const told = sessionStorage.getItem(TOLD);
  const id = sessionStorage.getItem(FOCUS);
  sessionStorage.removeItem(TOLD);
  sessionStorage.removeItem(FOCUS);
  if (!told) return;
  announce(told);
  const row = list?.querySelector(`tbody[data-id="${Number(id)}"]`);
  const handle = row?.querySelector(".folio-handle");
  row?.classList.add("folio-row-moved");
  // What unfold keeps cloaked until it has begun can't be focused.
  if (document.readyState === "complete") handle?.focus();
  else addEventListener("load", () => handle?.focus(), { once: true });
}
