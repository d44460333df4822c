// Pictures: which files a browser may choose from, and what it shows before they come.

import { html } from "./html.js";

const SMALL = 640; // pixels
export const CROP = 4 / 3; // what covers are cut to: --crop of theme.css

/**
 * What of a page's pictures only CSS can say: where they are cut, and the tiny image that is there first.
 *
 * Attributes named `style` are forbidden by the pages' policy, so each picture has a class, whose rules stand in one
 * <style> that the policy knows by its hash.
 */
export class Rules {
  #rules = new Map();

  class(image) {
    const name = `p${image.id}`;
    if (!this.#rules.has(name)) this.#rules.set(name, `.${name}{${declarations(image)}}`);
    return name;
  }

  toString() {
    return [...this.#rules.values()].join("\n");
  }
}

function declarations(image) {
  const { x, y } = image.focal;
  const place = x === 0.5 && y === 0.5 ? "" : `object-position:${percent(x)} ${percent(y)};`;
  const found = [`--ratio:${ratio(image).toFixed(4)};`, place];
  const isOpaque = (image.sources.at(-1)?.type ?? image.type) === "image/jpeg";
  if (isOpaque && /^#[0-9a-f]{6}$/.test(image.dominant_color ?? "")) {
    found.push(`background-color:${image.dominant_color};`);
  }
  if (isOpaque && /^data:image\/[a-z]+;base64,[A-Za-z0-9+/=]+$/.test(image.placeholder ?? "")) {
    found.push(`background-image:url(${image.placeholder});`);
    if (place) found.push(`background-position:${percent(x)} ${percent(y)};`);
  }
  return found.join("");
}

const percent = (share) => `${Math.round(share * 1000) / 10}%`;

export const ratio = (image) => (image.width > 0 && image.height > 0 ? image.width / image.height : 1);

/**
 * Return a <picture>.
 *
 * `sizes` is a text, as the attribute takes it. `most` leaves out what is wider than the place can ever need.
 */
export function picture(image, { rules, sizes, most = Infinity, isFirst = false, isEager = isFirst, alt = image.alt }) {
  const sources = image.sources.map(({ type, srcset }, place, { length }) => ({
    type,
    // The last is for browsers of another time, which may do with less where pages show many.
    srcset: narrowed(srcset, place === length - 1 && most < Infinity ? Math.min(most, SMALL) : most),
  }));
  const plain = sources.length ? null : thumbnails(image, most);
  return html`<picture>${sources.map(
    ({ type, srcset }) => html`<source type="${type}" srcset="${srcset}" sizes="${sizes}">`,
  )}<img class="${rules.class(image)}" src="${image.src}"${plain && html` srcset="${plain}" sizes="${sizes}"`} alt="${alt}" width="${image.width}" height="${image.height}"${
    isFirst && html` fetchpriority="high"`
  }${!isEager && html` loading="lazy"`} decoding="async"></picture>`;
}

/** Where there are no sources (they are switched off, or not made yet), thumbnails do as well as they can. */
function thumbnails(image, most) {
  const found = image.thumbnails.filter(({ size, width }) => size > 64 && width <= most);
  return found.length > 1 ? found.map(({ src, width }) => `${src} ${width}w`).join(", ") : null;
}

function narrowed(srcset, most) {
  const all = srcset.split(", ");
  const found = all.filter((candidate) => width(candidate) <= most);
  return (found.length ? found : all.slice(0, 1)).join(", ");
}

const width = (candidate) => Number(/ (\d+)w$/.exec(candidate)?.[1] ?? 0);

/** Return the address of the largest picture that every browser shows. */
export function largest(image) {
  const last = image.sources.at(-1)?.srcset.split(", ").at(-1);
  return last ? last.replace(/ \d+w$/, "") : image.src;
}

/** Return `sizes` of a picture that is cut to a box: where it is wider than the box, more of it is needed. */
export function cut(image, places, box = CROP) {
  const more = factor(image, box);
  return places.map(([media, value, unit]) => `${media && `${media} `}${Math.round(value * more)}${unit}`).join(", ");
}

export const factor = (image, box) => Math.max(1, ratio(image) / box);
