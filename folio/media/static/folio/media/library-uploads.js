// The list of files on their way: two at once, each with its progress and its own word, whatever the others do.

import { fill, nameControls, part, say, upload } from "../admin/page.js";

const AT_ONCE = 2; // more would only share the same line, and the server decodes two images at once
const ATTEMPTS = 5; // while the server says that it is busy

/** The files that were dropped or chosen. `onStored(answer, number)` gets each that the server keeps, and may remark. */
export class Uploads {
  constructor(section, onStored) {
    this.section = section;
    this.count = 0;
    this.texts = section.dataset;
    this.onStored = onStored;
    this.queue = [];
    this.going = 0;
    this.forget();
    part(section, "clear").addEventListener("click", () => this.clear());
    addEventListener("beforeunload", (event) => {
      if (this.going > 0) event.preventDefault();
    });
  }

  forget() {
    this.stored = 0;
    this.same = 0; // that the library had already
    this.refused = 0;
  }

  /** Whether files are on their way, or wait for it. */
  get isBusy() {
    return this.going > 0 || this.queue.length > 0;
  }

  add(files) {
    for (const file of files) this.enqueue(this.entry(file));
  }

  entry(file) {
    const item = part(this.section, "item").content.firstElementChild.cloneNode(true);
    const number = (this.count += 1); // in the order in which they came, which is not that in which they are stored
    const entry = { file, item, number, attempts: 0, controller: null, isOver: false };
    part(item, "name").textContent = file.name;
    nameControls(item, file.name);
    part(item, "cancel").addEventListener("click", () => this.cancel(entry));
    part(item, "retry").addEventListener("click", () => {
      this.refused -= 1;
      this.enqueue(entry);
    });
    part(this.section, "list").append(item);
    return entry;
  }

  enqueue(entry) {
    this.section.hidden = false;
    entry.isOver = false;
    this.look(entry, "waiting", this.texts.waiting);
    if (entry.file.size > Number(this.texts.maxSize)) {
      this.refuse(entry, fill(this.texts.tooLarge, { size: this.texts.maxSizeText }), false);
      return;
    }
    this.queue.push(entry);
    this.next();
  }

  next() {
    while (this.going < AT_ONCE && this.queue.length) this.start(this.queue.shift());
    this.summarize();
  }

  async start(entry) {
    this.going += 1;
    entry.controller = new AbortController();
    entry.attempts += 1;
    const form = new FormData();
    form.append("file", entry.file, entry.file.name);
    const progress = (fraction) => this.progress(entry, fraction);
    const sent = upload(this.texts.url, form, progress, entry.controller.signal);
    await sent.then((answer) => this.done(entry, answer), (error) => this.failed(entry, error));
    this.going -= 1;
    this.next();
    const remark = entry.answer && this.onStored(entry.answer, entry.number);
    if (remark) this.look(entry, "same", remark);
  }

  progress(entry, fraction) {
    part(entry.item, "bar").value = fraction;
    const text = fraction < 1 ? this.texts.going : this.texts.checking; // sent, now the server looks into it
    part(entry.item, "word").textContent = fill(text, { percent: Math.floor(fraction * 100) });
    entry.item.dataset.state = "going";
  }

  done(entry, answer) {
    entry.isOver = true;
    if (answer.is_new) this.stored += 1;
    else this.same += 1;
    const word = answer.is_new ? this.texts.done : fill(this.texts.same, { name: answer.media.name });
    this.look(entry, answer.is_new ? "done" : "same", word);
    entry.answer = answer;
  }

  failed(entry, error) {
    if (error.name === "AbortError") return;
    if (error.status === 503 && entry.attempts < ATTEMPTS) {
      this.again(entry, error.wait || 5);
    } else {
      // What the server said of the file stays so; of the way to the server, another try may tell otherwise.
      const mayRetry = [0, 401, 409].includes(error.status) || error.status >= 500;
      this.refuse(entry, error.message, mayRetry);
    }
  }

  again(entry, seconds) {
    if (entry.isOver) return;
    if (seconds <= 0) {
      this.queue.unshift(entry);
      this.next();
      return;
    }
    this.look(entry, "waiting", fill(this.texts.again, { seconds }));
    entry.timer = setTimeout(() => this.again(entry, seconds - 1), 1000);
  }

  refuse(entry, sentence, mayRetry) {
    entry.isOver = true;
    this.refused += 1;
    this.look(entry, "refused", sentence);
    part(entry.item, "retry").hidden = !mayRetry;
    say(`${entry.file.name}: ${sentence}`);
    this.summarize();
  }

  cancel(entry) {
    clearTimeout(entry.timer);
    this.queue = this.queue.filter((other) => other !== entry);
    if (entry.isOver) {
      entry.item.remove();
      if (entry.item.dataset.state === "refused") this.refused -= 1;
    } else {
      entry.isOver = true;
      entry.controller?.abort();
      this.look(entry, "cancelled", this.texts.cancelled);
    }
    this.summarize();
  }

  look(entry, state, word) {
    entry.item.dataset.state = state;
    part(entry.item, "word").textContent = word;
    part(entry.item, "retry").hidden = true;
    if (state === "waiting") part(entry.item, "bar").value = 0;
  }

  clear() {
    for (const item of [...part(this.section, "list").children]) {
      if (!["waiting", "going"].includes(item.dataset.state)) item.remove();
    }
    this.forget();
    this.summarize();
  }

  /** Return how many were stored, there already and refused, without those that are none. */
  counted() {
    const counts = { done: this.stored, same: this.same, refused: this.refused };
    const { countDone, countSame, countRefused } = this.texts;
    const told = [fill(countDone, counts)];
    if (counts.same) told.push(fill(countSame, counts));
    if (counts.refused) told.push(fill(countRefused, counts));
    return fill(this.texts.allDone, { counts: told.join(this.texts.comma) });
  }

  /** Say how far all of them are; when none is left, to a screen reader too. */
  summarize() {
    const list = part(this.section, "list");
    const left = [...list.children].filter((item) => ["waiting", "going"].includes(item.dataset.state)).length;
    const words = this.counted();
    part(this.section, "summary").textContent = left ? fill(this.texts.left, { count: left }) : words;
    part(this.section, "clear").hidden = left === list.children.length;
    this.section.hidden = !list.children.length;
    if (!left && this.hadSome && list.children.length) say(words);
    if (!left && this.hadSome) this.section.dispatchEvent(new Event("over", { bubbles: true }));
    this.hadSome = left > 0;
  }
}

/** Let files be dropped anywhere on `target`: `onFiles(files)` gets them, `overlay` is shown while they hover. */
export function acceptDrops(target, overlay, onFiles) {
  let depth = 0; // dragenter and dragleave come for each element on the way
  const hasFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  const show = (isOver) => {
    overlay?.toggleAttribute("hidden", !isOver);
    target.classList?.toggle("folio-dropping", isOver);
  };
  target.addEventListener("dragenter", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    event.stopPropagation();
    depth += 1;
    show(true);
  });
  target.addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    event.stopPropagation();
    event.dataTransfer.dropEffect = "copy";
  });
  target.addEventListener("dragleave", (event) => {
    if (!hasFiles(event)) return;
    event.stopPropagation();
    depth -= 1;
    if (depth <= 0) show(false);
  });
  target.addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    event.stopPropagation();
    depth = 0;
    show(false);
    onFiles([...event.dataTransfer.files]);
  });
}

/** Let the user choose files as the system does it. */
export function chooseFiles(onFiles) {
  const input = document.createElement("input");
  input.type = "file";
  input.multiple = true;
  input.addEventListener("change", () => onFiles([...input.files]));
  input.click();
}
