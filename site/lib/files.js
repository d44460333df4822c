// The site's own files: styles, scripts, letters. They lie in a folder named by a hash of all, to be kept for good.

import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";

import { HOME } from "./settings.js";

const MODULES = "node_modules/@fontsource-variable";
// The letters of the site's own language come with it, the first of them before all else. Those of a title in another
// script are the reader's own: a page weighs half as much without them.
const LETTERS = {
  latin: {
    "instrument-sans-latin.woff2": `${MODULES}/instrument-sans/files/instrument-sans-latin-wght-normal.woff2`,
    "instrument-sans-latin-ext.woff2": `${MODULES}/instrument-sans/files/instrument-sans-latin-ext-wght-normal.woff2`,
  },
  arabic: { "vazirmatn-arabic.woff2": `${MODULES}/vazirmatn/files/vazirmatn-arabic-wght-normal.woff2` },
};
const TEMPLATES = ["html.js", "picture.js", "card.js", "work.js"]; // which the preview needs
const SOURCES = ["lib", "templates", "pages", "browser", "letters", "."]; // what a page may be made of

export const hashOf = (...parts) => {
  const hash = createHash("sha256");
  if (parts.every((part) => typeof part === "string")) hash.update(parts.join("\0")); // at once, which is quicker
  else for (const part of parts) hash.update(part).update("\0");
  return hash.digest("hex").slice(0, 16);
};

/** Return the name of the script, in LETTERS, that a language is written in. */
const scriptOf = (lang) => (["ar", "fa", "ps", "ur", "ckb"].includes(lang.split("-")[0]) ? "arabic" : "latin");

/** Return the files that browsers get, by their names in the folder. */
async function found(script) {
  const sheets = ["theme.css", `letters/${script}.css`, "site.css"];
  const styles = await Promise.all(sheets.map((name) => readFile(path.join(HOME, name), "utf8")));
  const from = { "icon.svg": "icon.svg", ...LETTERS[script] };
  for (const name of await readdir(path.join(HOME, "browser"))) from[name] = `browser/${name}`;
  for (const name of TEMPLATES) from[`templates/${name}`] = `templates/${name}`;
  const read = Object.entries(from).map(async ([name, file]) => [name, await readFile(path.join(HOME, file))]);
  return { "site.css": Buffer.from(shorter(styles.join("\n"))), ...Object.fromEntries(await Promise.all(read)) };
}

const shorter = (styles) => styles.replace(/\/\*[^]*?\*\//g, "").replace(/\s*\n\s*/g, "");

export class Assets {
  constructor(files, hash) {
    this.files = files;
    this.hash = hash;
  }

  static async read(lang) {
    const files = await found(scriptOf(lang));
    return new Assets(files, hashOf(...Object.entries(files).flat()));
  }

  static font = (lang) => Object.keys(LETTERS[scriptOf(lang)])[0];

  /** Write those that do not lie there yet. */
  async write(output) {
    for (const [name, content] of Object.entries(this.files)) {
      const file = path.join(output, "assets", this.hash, name);
      if ((await stat(file).catch(() => null))?.size === content.length) continue;
      await mkdir(path.dirname(file), { recursive: true });
      await writeFile(file, content);
    }
  }

  /** Remove those of another build once no page names them any more. */
  async removeOthers(output) {
    for (const name of await readdir(path.join(output, "assets"))) {
      if (name !== this.hash) await rm(path.join(output, "assets", name), { recursive: true });
    }
  }
}

/** Return a hash of all that makes pages what they are beside their content. */
export async function fingerprint(...others) {
  const parts = [];
  for (const folder of SOURCES) {
    for (const name of (await readdir(path.join(HOME, folder))).sort()) {
      const file = path.join(HOME, folder, name);
      if (/\.(js|css|json|svg)$/.test(name) && !/^texts\./.test(name) && (await stat(file)).isFile()) {
        parts.push(name, await readFile(file));
      }
    }
  }
  return hashOf(...parts, ...others);
}
