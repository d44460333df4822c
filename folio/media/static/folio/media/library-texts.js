// Names and alt texts that are edited where they are shown, and saved as soon as they are left.

import { part, say, send } from "../admin/page.js";

/** Make the texts in `root` savable, those that come later too; `onSaved(box, field, answer)` is told of each. */
export function saveTexts(root, savedWord = "", onSaved = () => {}) {
  const boxOf = (event) => event.target.closest?.(".folio-text-box");
  root.addEventListener("focusin", (event) => {
    const box = boxOf(event);
    if (box && box.dataset.saved === undefined) box.dataset.saved = box.value;
  });
  for (const name of ["input", "change"]) {
    // Saved by itself, so the form around has nothing unsaved by it.
    root.addEventListener(name, (event) => boxOf(event) && event.stopPropagation());
  }
  root.addEventListener("keydown", (event) => {
    const box = boxOf(event);
    if (!box) return;
    if (event.key === "Enter") {
      event.preventDefault(); // it would send the form around
      save(box, savedWord, onSaved);
    } else if (event.key === "Escape" && box.value !== box.dataset.saved) {
      event.preventDefault();
      event.stopPropagation();
      box.value = box.dataset.saved;
      complain(box, "");
    }
  });
  root.addEventListener("focusout", (event) => boxOf(event) && save(boxOf(event), savedWord, onSaved));
  window.addEventListener("beforeunload", (event) => {
    if ([...root.querySelectorAll(".folio-text-box")].some(isUnsaved)) event.preventDefault();
  });
}

/** Tell whether what was typed would be lost with the page: it was refused, or the server could not be reached. */
function isUnsaved(box) {
  const isSaving = box.closest(".folio-text").dataset.state === "saving";
  return "saved" in box.dataset && box.value !== box.dataset.saved && !isSaving;
}

async function save(box, savedWord, onSaved) {
  const text = box.closest(".folio-text");
  const typed = box.value;
  if (typed === box.dataset.saved || text.dataset.state === "saving") return;
  text.dataset.state = "saving";
  try {
    const answer = await send(text.dataset.url, { [text.dataset.field]: typed });
    box.dataset.saved = answer[text.dataset.field];
    if (box.value === typed) box.value = box.dataset.saved;
    text.dataset.state = "saved";
    complain(box, "");
    if (savedWord) say(savedWord);
    onSaved(box, text.dataset.field, answer);
  } catch (error) {
    text.dataset.state = "";
    complain(box, error.errors?.[text.dataset.field]?.join(" ") ?? error.message);
    return;
  }
  if (box.value !== box.dataset.saved) save(box, savedWord, onSaved); // typed while the last one was on its way
}

function complain(box, sentence) {
  const error = part(box.closest(".folio-text"), "error");
  error.textContent = sentence;
  error.hidden = !sentence;
  box.toggleAttribute("aria-invalid", Boolean(sentence));
  if (sentence) say(sentence);
}
