// The site's own files: styles, scripts, letters. They lie in a folder named by a hash of all, to be kept for good.

import { createHash } from "node:crypto";
import { copyFile, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";

import { HOME } from "./settings.js";

const MODULES = "node_modules/@fontsource-variable";
const LATIN = "instrument-sans-latin.woff2";
const ARABIC = "vazirmatn-arabic.woff2";
const FONTS = {
  [LATIN]: `${MODULES}/instrument-sans/files/instrument-sans-latin-wght-normal.woff2`,
  "instrument-sans-latin-ext.woff2": `${MODULES}/instrument-sans/files/instrument-sans-latin-ext-wght-normal.woff2`,
  [ARABIC]: `${MODULES}/vazirmatn/files/vazirmatn-arabic-wght-normal.woff2`,
};
const TEMPLATES = ["html.js", "picture.js", "card.js", "work.js"]; // which the preview needs
const SOURCES = ["lib", "templates", "pages", "browser", "."]; // what a page may be made of

export const hashOf = (...parts) => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part).update("\0");
  return hash.digest("hex").slice(0, 16);
};

/** Return the files that browsers get, by their names in the folder: where each lies, or what it says. */
async function found() {
  const styles = await Promise.all(["theme.css", "site.css"].map((name) => readFile(path.join(HOME, name), "utf8")));
  const files = { "site.css": { text: shorter(styles.join("\n")) }, "icon.svg": { from: path.join(HOME, "icon.svg") } };
  for (const name of await readdir(path.join(HOME, "browser"))) files[name] = { from: path.join(HOME, "browser", name) };
  for (const name of TEMPLATES) files[`templates/${name}`] = { from: path.join(HOME, "templates", name) };
  for (const [name, from] of Object.entries(FONTS)) files[name] = { from: path.join(HOME, from) };
  return files;
}

const shorter = (styles) => styles.replace(/\/\*[^]*?\*\//g, "").replace(/\s*\n\s*/g, "");

export class Assets {
  constructor(files, hash) {
    this.files = files;
    this.hash = hash;
  }

  static async read() {
    const files = await found();
    const parts = [];
    for (const [name, file] of Object.entries(files)) parts.push(name, file.text ?? (await readFile(file.from)));
    return new Assets(files, hashOf(...parts));
  }

  static font = (lang) => (["ar", "fa", "ps", "ur", "ckb"].includes(lang.split("-")[0]) ? ARABIC : LATIN);

  /** Copy them, and remove those of another build once no page names them any more. */
  async write(output) {
    for (const [name, { from, text }] of Object.entries(this.files)) {
      const file = path.join(output, "assets", this.hash, name);
      await mkdir(path.dirname(file), { recursive: true });
      if (text === undefined) await copyFile(from, file);
      else await writeFile(file, text);
    }
  }

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
