// HTML whose values are escaped, in Node as in browsers: the preview is made by the same templates as the pages.

const NAMES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

class Markup {
  constructor(text) {
    this.text = text;
  }

  toString() {
    return this.text;
  }
}

export const escaped = (text) => String(text).replace(/[&<>"']/g, (letter) => NAMES[letter]);

/** Mark a text as HTML already: what Folio has cleaned, and nothing else. */
export const markup = (text) => new Markup(text ?? "");

export function html(strings, ...values) {
  return new Markup(strings.reduce((made, string, place) => made + shown(values[place - 1]) + string));
}

function shown(value) {
  if (value === null || value === undefined || value === false) return "";
  if (value instanceof Markup) return value.text;
  if (Array.isArray(value)) return value.map(shown).join("");
  return escaped(value);
}

/** Fill the names in braces of a text of texts.json. */
export const filled = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);

export const number = (value, lang) => new Intl.NumberFormat(lang, { useGrouping: false }).format(value);

const LONGEST = 200; // bytes of a file's name, of which most systems take 255

/** Return the part of a path that stands for a slug, which may be too long for a folder's name. */
export function segment(slug) {
  if (new TextEncoder().encode(slug).length <= LONGEST) return slug;
  let sum = 0x811c9dc5; // FNV-1a, to tell those apart that begin alike
  for (const letter of slug) sum = Math.imul(sum ^ letter.codePointAt(0), 0x01000193) >>> 0;
  return `${[...slug].slice(0, 40).join("")}-${sum.toString(16)}`;
}

export const workPath = (slug) => `/work/${segment(slug)}/`;
export const tagPath = (slug) => `/tag/${segment(slug)}/`;
