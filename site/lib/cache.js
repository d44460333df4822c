// What the last build knew: the manifest, each entry, and of what each page was made.

import { existsSync, readFileSync } from "node:fs";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";

const FORM = 1; // of what is kept: another number starts anew

export class Cache {
  constructor(folder, api) {
    this.folder = folder;
    this.api = api;
    this.index = { form: FORM, api, manifest: [], rows: {}, pages: {} };
  }

  static async open(folder, api) {
    const cache = new Cache(folder, api);
    try {
      const index = JSON.parse(await readFile(cache.#file("index.json"), "utf8"));
      if (index.form === FORM && index.api === api) cache.index = index;
    } catch {
      // none yet, or one that broke off: everything is built
    }
    return cache;
  }

  /** Return an entry as it was read; nothing where it was lost. */
  entry(id) {
    try {
      return JSON.parse(readFileSync(this.#file("entries", `${id}.json`), "utf8"));
    } catch {
      return undefined;
    }
  }

  has(id) {
    return existsSync(this.#file("entries", `${id}.json`));
  }

  async keep(entries) {
    await mkdir(this.#file("entries"), { recursive: true });
    for (const entry of entries) await this.#write(["entries", `${entry.id}.json`], entry);
  }

  async forget(ids) {
    for (const id of ids) await rm(this.#file("entries", `${id}.json`), { force: true });
  }

  async save({ manifest, rows, pages }) {
    await mkdir(this.folder, { recursive: true });
    this.index = { form: FORM, api: this.api, manifest, rows, pages };
    await this.#write(["index.json"], this.index);
  }

  /** Write under another name first, so that a build which breaks off leaves what was there. */
  async #write(names, value) {
    const file = this.#file(...names);
    await writeFile(`${file}.new`, JSON.stringify(value));
    await rename(`${file}.new`, file);
  }

  #file(...names) {
    return path.join(this.folder, ...names);
  }
}
