// The focal point of a picture: set by a click, moved by dragging or by the arrow keys, saved at once.

import { fill, part, send } from "../admin/page.js";

const REST = 500; // ms without another key after which it is saved
const STEP = 0.01;
const FAST = 0.1; // with Shift

export class Focal {
  /** `tell(word)` is told "saving" and "saved"; `complain(sentence)` why it could not be saved. */
  constructor(body, { tell, complain }) {
    this.picture = part(body, "large");
    this.words = part(body, "focal");
    if (!this.picture || !this.words) return;
    Object.assign(this, { body, tell, complain, ring: part(body, "ring") });
    const { x, y, fixed, url } = this.words.dataset;
    this.url = url;
    this.saved = pointOf(x === "" ? null : Number(x), y === "" ? null : Number(y));
    this.point = this.saved;
    this.show();
    if (!fixed) this.listen();
  }

  listen() {
    const stage = part(this.body, "stage");
    stage.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      const isOnRing = event.target === this.ring;
      // A finger that swipes over the picture scrolls; one that takes the ring, or taps, sets the point.
      if (event.pointerType === "mouse") event.preventDefault();
      if (isOnRing || event.pointerType === "mouse") this.drag(stage, event);
    });
    stage.addEventListener("click", (event) => this.wasDragged || this.set(this.under(event), 0));
    this.ring.addEventListener("keydown", (event) => this.key(event));
    part(this.body, "centre").addEventListener("click", () => this.set(null, 0));
  }

  drag(stage, event) {
    this.wasDragged = false;
    this.ring.focus({ preventScroll: true });
    const move = (moved) => {
      if (Math.hypot(moved.clientX - event.clientX, moved.clientY - event.clientY) > 3) this.wasDragged = true;
      if (this.wasDragged) this.place(this.under(moved));
    };
    const end = () => {
      stage.removeEventListener("pointermove", move);
      if (this.wasDragged) this.set(this.point, 0);
      setTimeout(() => (this.wasDragged = false)); // after the click that ends it
    };
    stage.setPointerCapture(event.pointerId);
    stage.addEventListener("pointermove", move);
    stage.addEventListener("lostpointercapture", end, { once: true });
  }

  key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const step = event.shiftKey ? FAST : STEP;
    // A picture has its left on the left in every language.
    const by = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key];
    if (!by) return;
    event.preventDefault();
    const { x, y } = this.shown;
    this.set({ x: rounded(x + by[0]), y: rounded(y + by[1]) }, REST);
  }

  /** Return where in the picture a pointer is; beside it, the nearest edge. */
  under({ clientX, clientY }) {
    const { left, top, width, height } = this.picture.getBoundingClientRect();
    return { x: rounded((clientX - left) / width), y: rounded((clientY - top) / height) };
  }

  place(point) {
    this.point = point;
    this.show();
  }

  set(point, delay) {
    this.place(point);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.settle(), delay);
  }

  /** Where the ring is. */
  get shown() {
    return { x: this.point?.x ?? 0.5, y: this.point?.y ?? 0.5 };
  }

  show() {
    const { x, y } = this.shown;
    const { point: text, centre } = this.words.dataset;
    const said = this.point ? fill(text, { x: Math.round(x * 100), y: Math.round(y * 100) }) : centre;
    part(this.body, "point").textContent = said;
    if (this.ring) {
      this.ring.style.left = `${x * 100}%`;
      this.ring.style.top = `${y * 100}%`;
      this.ring.setAttribute("aria-valuenow", String(Math.round(x * 100)));
      this.ring.setAttribute("aria-valuetext", said);
    }
    part(this.body, "centre")?.toggleAttribute("disabled", !this.point);
    for (const crop of this.body.querySelectorAll('[data-part="crop"]')) this.crop(crop, x, y);
  }

  /** Show what a crop of its box's shape keeps: the focal point in the middle, as far as the picture reaches. */
  crop(image, x, y) {
    const { clientWidth, clientHeight } = image.parentElement;
    const [width, height] = [Number(this.picture.getAttribute("width")), Number(this.picture.getAttribute("height"))];
    const scale = Math.max(clientWidth / width, clientHeight / height);
    const along = (point, room, length) => {
      const rest = length * scale - room;
      return rest > 0 ? (Math.min(Math.max(point * length * scale - room / 2, 0), rest) / rest) * 100 : 50;
    };
    image.style.objectPosition = `${along(x, clientWidth, width)}% ${along(y, clientHeight, height)}%`;
  }

  /** Save the point unless it is saved; return whether it is. */
  async settle() {
    clearTimeout(this.timer);
    while (this.words && !isSame(this.point, this.saved)) {
      this.going ??= this.save(this.point).finally(() => (this.going = null));
      if (!(await this.going)) return false;
    }
    return true;
  }

  async save(point) {
    this.tell("saving");
    try {
      const answer = await send(this.url, { ...named(point), was: named(this.saved) });
      this.saved = pointOf(answer.focal_x, answer.focal_y);
      if (isSame(this.point, point)) this.place(this.saved);
      this.tell("saved");
      return true;
    } catch (error) {
      if (error.stored) {
        this.saved = pointOf(error.stored.focal_x, error.stored.focal_y);
        this.place(this.saved);
      }
      this.complain(error.errors?.focal_x?.join(" ") ?? error.message);
      return false;
    }
  }
}

function rounded(value) {
  return Math.min(1, Math.max(0, Math.round(value * 1000) / 1000));
}

/** Return a point as an object, null where it is the centre; one of the two may be that alone. */
function pointOf(x, y) {
  return x === null && y === null ? null : { x, y };
}

function named(point) {
  return { focal_x: point?.x ?? null, focal_y: point?.y ?? null };
}

function isSame(one, other) {
  return one === other || (one !== null && other !== null && one.x === other.x && one.y === other.y);
}
