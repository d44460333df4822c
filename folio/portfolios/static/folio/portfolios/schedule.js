// The schedule in an entry's form: in the reader's time zone, and in words as it is typed.

import { fill, part } from "../admin/page.js";

const { zone, words, wallOf, momentsOf } = window.folioMoments;

/** The boxes in which a moment is typed, in the time zone that goes with it to the server. */
class Moment {
  constructor(element) {
    [this.day, this.time, this.name] = element.querySelectorAll("input");
    if ("zoned" in element.dataset && !this.name.value && zone !== "UTC") this.turnInto(zone);
    if (!this.name.value) return;
    this.time.setAttribute("aria-label", fill(element.dataset.time, { zone: this.zone }));
    part(element, "zone").textContent = fill(element.dataset.zone, { zone: this.zone });
  }

  get zone() {
    return this.name.value || "UTC";
  }

  /** What the clocks are to show, as the moment at which those of UTC show it; null where it is left open. */
  get wall() {
    return this.day.value ? Date.parse(`${this.day.value}T${this.time.value || "00:00"}Z`) : null;
  }

  /** Show the moment that stands here in UTC as the clocks of a zone do. */
  turnInto(name) {
    const { wall } = this;
    this.name.value = name;
    if (wall === null) return;
    const [day, time] = new Date(wallOf(wall, name)).toISOString().split("T");
    this.day.value = day;
    this.time.value = time.slice(0, time.startsWith("00", 6) ? 5 : 8);
  }

  read() {
    const found = this.wall === null ? [null] : momentsOf(this.wall, this.zone);
    return { moment: found[0] ?? null, isSkipped: found.length === 0, isTwice: found.length === 2 };
  }
}

class Schedule {
  constructor(standing) {
    this.mark = part(standing, "mark");
    this.words = part(standing, "words");
    this.standing = standing;
    this.texts = standing.dataset;
    const { form } = document.getElementById("id_is_active");
    this.publish = form.elements.is_active;
    this.boxes = [...form.querySelectorAll(".folio-moment-zoned")];
    [this.begin, this.end] = this.boxes.map((box) => new Moment(box));
    this.stored = [this.mark.innerHTML, this.words.innerHTML];
    this.shown = this.typed();
    this.isTyped = Boolean(document.getElementById("folio-problems") ?? document.querySelector(".folio-collision"));
    if (this.isTyped) this.tell();
    for (const box of [this.publish, ...this.boxes]) box.addEventListener("input", () => this.tell());
  }

  typed() {
    return JSON.stringify([this.publish.checked, this.begin.wall, this.end.wall]);
  }

  tell() {
    if (!this.isTyped && this.typed() === this.shown) {
      [this.mark.innerHTML, this.words.innerHTML] = this.stored;
      this.words.classList.remove("folio-standing-wrong");
      return;
    }
    const begin = this.begin.read();
    const end = this.end.read();
    const problem = this.problem(begin, end);
    this.words.classList.toggle("folio-standing-wrong", Boolean(problem));
    if (problem) {
      this.words.textContent = problem;
      return;
    }
    const [state, sentences] = this.sentences(begin.moment, end.moment);
    for (const [box, { isTwice }] of [[this.begin, begin], [this.end, end]]) {
      if (isTwice) sentences.push(fill(this.texts.twice, { zone: box.zone }));
    }
    this.mark.replaceChildren(this.standing.querySelector(`template[data-state="${state}"]`).content.cloneNode(true));
    this.words.textContent = [this.texts.after, ...sentences].join(" ");
  }

  problem(begin, end) {
    if (begin.isSkipped) return fill(this.texts.skipped, { zone: this.begin.zone });
    if (end.isSkipped) return fill(this.texts.skipped, { zone: this.end.zone });
    if (begin.moment !== null && end.moment !== null && end.moment <= begin.moment) return this.texts.order;
    return "";
  }

  sentences(begin, end) {
    const now = Date.now();
    const isWaiting = begin !== null && begin > now;
    const isOver = end !== null && end <= now;
    const at = (text, box, moment) => fill(text, { moment: words(moment, { timeZone: box.zone }) });
    if (!this.publish.checked) {
      return ["draft", [this.texts.draft, ...(isWaiting ? [at(this.texts.waits, this.begin, begin)] : [])]];
    }
    if (isOver) return ["ended", [at(this.texts.ended, this.end, end)]];
    const ends = end === null ? [] : [at(this.texts.ends, this.end, end)];
    if (isWaiting) return ["scheduled", [at(this.texts.scheduled, this.begin, begin), ...ends]];
    return ["published", [this.texts.published, ...ends]];
  }
}

const standing = document.getElementById("folio-standing");
if (standing) new Schedule(standing);
