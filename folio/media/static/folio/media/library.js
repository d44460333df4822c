// The library's page and the page of a media: uploads, texts in place, selection, copying, replacing.

import { announce, copy, fill, nameControls, part, upload } from "../admin/page.js";
import { Uploads, acceptDrops, chooseFiles } from "./library-uploads.js";
import { uncoverPictures } from "./library-pictures.js";
import { saveTexts } from "./library-texts.js";
import { openPanel } from "./panel-open.js";
import { tellTexts } from "./picker-parts.js";

function readyCard(card) {
  nameControls(card, card.dataset.name);
}

function startLibrary(page) {
  const grid = part(page, "grid");
  for (const card of grid.children) readyCard(card);
  saveTexts(grid, page.dataset.saved, (box, field, answer) => {
    const card = box.closest("li");
    card.dataset.name = answer.name;
    readyCard(card);
  });
  startSelection(page, grid);
  startLooking(grid);
  const section = part(page, "uploads");
  if (!section) return;
  const uploads = new Uploads(section, (answer) => {
    grid.querySelector(`[data-id="${answer.media.id}"]`)?.remove();
    grid.insertAdjacentHTML("afterbegin", answer.card.trim());
    readyCard(grid.firstElementChild);
    grid.firstElementChild.classList.add("folio-card-new");
    const count = part(document, "count"); // of all media: what a search or a filter would count, the server knows
    if (count && page.dataset.whole !== undefined) count.textContent = answer.count;
    tell();
  });
  const none = part(page, "none");
  const tell = () => {
    none.hidden = grid.children.length > 0 || uploads.isBusy;
    grid.dispatchEvent(new Event("change")); // what was selected may have been put elsewhere, unselected
  };
  const add = (files) => {
    uploads.add(files);
    tell();
  };
  section.addEventListener("over", tell);
  part(page, "upload").hidden = false;
  part(page, "upload").addEventListener("click", () => chooseFiles(add));
  acceptDrops(document, part(page, "drop"), add);
}

/** Show images in the panel; to their pages leads the panel, or a click with a key that opens a tab. */
function startLooking(grid) {
  const shelf = {
    items: () => [...grid.children].filter((card) => card.dataset.panel),
    picture: (card) => card.querySelector(".folio-card-picture"),
    caption: () => null,
    cover: null,
    saved: (card, answer) => tellTexts(answer, card.dataset.id),
  };
  grid.addEventListener("click", (event) => {
    const card = event.target.closest(".folio-card-picture")?.closest("li");
    if (!card?.dataset.panel || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    openPanel(shelf, card);
  });
}

function startSelection(page, grid) {
  const bar = part(page, "selection");
  if (!bar) return;
  const boxes = () => [...grid.querySelectorAll(".action-select")];
  const count = () => {
    const selected = boxes().filter((box) => box.checked).length;
    part(bar, "selected").textContent = selected ? fill(page.dataset.selected, { count: selected }) : "";
  };
  const select = (isSelected) => {
    for (const box of boxes()) box.checked = isSelected;
    count();
  };
  part(bar, "all").addEventListener("click", () => select(true));
  part(bar, "clear-selection").addEventListener("click", () => select(false));
  let last = null;
  grid.addEventListener("click", (event) => {
    const box = event.target.closest(".action-select");
    if (!box) return;
    if (event.shiftKey && last) {
      const all = boxes();
      const [from, to] = [all.indexOf(last), all.indexOf(box)].sort((a, b) => a - b);
      for (const between of all.slice(from, to + 1)) between.checked = box.checked;
    }
    last = box;
    count();
  });
  grid.addEventListener("change", count);
  count(); // a browser that comes back to the page keeps what was checked
}

function startCopying() {
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    await copy(button.dataset.copy);
    announce(button.dataset.copied);
  });
}

function startReplacing(form) {
  form.querySelector("[type=file]").hasChangeListener = true; // or unfold writes the file's name into the media's
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const [bar, error, button] = [part(form, "bar"), part(form, "error"), form.querySelector("[type=submit]")];
    error.hidden = true;
    bar.hidden = false;
    button.disabled = true;
    try {
      await upload(form.action, new FormData(form), (fraction) => {
        bar.value = fraction;
      });
      location.reload(); // the picture, its facts and its address are all others now
    } catch (refusal) {
      error.textContent = refusal.message;
      error.hidden = false;
      bar.hidden = true;
      button.disabled = false;
    }
  });
}

uncoverPictures();
startCopying();
const library = document.querySelector(".folio-library");
if (library) startLibrary(library);
const replacement = document.querySelector(".folio-replace");
if (replacement) startReplacing(replacement);
