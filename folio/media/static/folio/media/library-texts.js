// Names and alt texts that are edited where they are shown, and saved as soon as they are left.

import { part, say, send } from "../admin/page.js";

const going = new WeakMap(); // the saving of a box that is on its way

/**
 * Make the texts in `root` savable, those that come later too; `onSaved(box, field, answer)` is told of each.
 *
 * Escape takes back what was typed, unless it `keeps`. Returns a function that saves what is still unsaved, and tells
 * whether nothing is left of that.
 */
export function saveTexts(root, savedWord = "", onSaved = () => {}, keeps = false) {
  const boxOf = (event) => event.target.closest?.(".folio-text-box");
  const save = (box) => {
    if (!going.has(box)) going.set(box, saving(box, savedWord, onSaved).finally(() => going.delete(box)));
    return going.get(box); // what is typed while it is on its way is saved after it
  };
  root.addEventListener("focusin", (event) => {
    const box = boxOf(event);
    if (box) box.dataset.saved ??= box.value;
  });
  for (const name of ["input", "change"]) {
    // Saved by itself, so the form around has nothing unsaved by it.
    root.addEventListener(name, (event) => boxOf(event) && event.stopPropagation());
  }
  root.addEventListener("keydown", (event) => {
    const box = boxOf(event);
    if (!box || event.isComposing) return;
    if (event.key === "Enter") {
      event.preventDefault(); // it would send the form around
      save(box);
    } else if (event.key === "Escape" && !keeps && box.value !== box.dataset.saved) {
      event.preventDefault();
      event.stopPropagation();
      box.value = box.dataset.saved;
      complain(box, "");
    }
  });
  root.addEventListener("focusout", (event) => boxOf(event) && save(boxOf(event)));
  window.addEventListener("beforeunload", (event) => {
    if (boxesOf(root).some((box) => isUnsaved(box) && !going.has(box))) event.preventDefault();
  });
  return async () => {
    for (const box of boxesOf(root).filter(isUnsaved)) await save(box);
    return !boxesOf(root).some(isUnsaved);
  };
}

function boxesOf(root) {
  return [...root.querySelectorAll(".folio-text-box")];
}

/** Tell whether what was typed would be lost with the page. */
function isUnsaved(box) {
  return "saved" in box.dataset && box.value !== box.dataset.saved;
}

async function saving(box, savedWord, onSaved) {
  const text = box.closest(".folio-text");
  const { field, url } = text.dataset;
  while (box.value !== box.dataset.saved) {
    const typed = box.value;
    text.dataset.state = "saving";
    try {
      const answer = await send(url, { [field]: typed, was: { [field]: box.dataset.saved } });
      const isTyping = box.value !== typed;
      if (!isTyping) box.value = answer[field];
      box.dataset.saved = isTyping ? answer[field] : box.value; // a box may drop what it has no room for
      text.dataset.state = "saved";
      complain(box, "");
      if (savedWord) say(savedWord);
      onSaved(box, field, answer);
    } catch (error) {
      text.dataset.state = "";
      // Someone was faster: what is typed stays, and is saved over theirs when the box is left once more.
      if (error.stored) box.dataset.saved = error.stored[field];
      complain(box, error.errors?.[field]?.join(" ") ?? error.message);
      return;
    }
  }
}

function complain(box, sentence) {
  const error = part(box.closest(".folio-text"), "error");
  error.textContent = sentence;
  error.hidden = !sentence;
  box.toggleAttribute("aria-invalid", Boolean(sentence));
  if (sentence) say(sentence);
}
