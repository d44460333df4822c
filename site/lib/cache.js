// What the last build knew: the manifest, what other pages show of each entry, of what each page was made, the entries.

import { existsSync, readFileSync, statSync } from "node:fs";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";

const FORM = 2; // of what is kept: another number starts anew

/**
 * The index is read and written by each build, so it is small: entries lie in files of their own, which only pages
 * that are made again need.
 */
export class Cache {
  #cards = new Map(); // what was read of entries here: {digest, card} by id
  #mark; // which file the index was read from, or written to

  constructor(folder, api) {
    this.folder = folder;
    this.api = api;
    this.index = { form: FORM, api, manifest: [], rows: [], pages: {}, related: { of: "", places: [] } };
  }

  /** Return what lies in the folder; that is `known`, where nobody has written there since. */
  static async open(folder, api, known) {
    const cache = new Cache(folder, api);
    const mark = cache.#found();
    if (known && known.folder === folder && known.api === api && mark && known.#mark === mark) return known;
    try {
      const index = JSON.parse(await readFile(cache.#file("index.json"), "utf8"));
      if (index.form === FORM && index.api === api) cache.index = index;
    } catch {
      // none yet, or one that broke off: everything is built
    }
    cache.#mark = mark;
    return cache;
  }

  /** Return an entry as it was when it had this digest; nothing where it was lost. */
  entry({ id, digest }) {
    try {
      const kept = JSON.parse(readFileSync(this.#file("entries", `${id}.json`), "utf8"));
      return kept.digest === digest ? kept.entry : undefined;
    } catch {
      return undefined;
    }
  }

  /** Return what pages show of another entry, which is read once. */
  card({ id, digest }) {
    const known = this.#cards.get(id);
    if (known?.digest === digest) return known.card;
    const entry = this.entry({ id, digest });
    if (!entry) return undefined;
    const card = cardOf(entry);
    this.#cards.set(id, { digest, card });
    return card;
  }

  has({ id }) {
    return existsSync(this.#file("entries", `${id}.json`));
  }

  async keep(entries, digests) {
    if (!entries.length) return;
    await mkdir(this.#file("entries"), { recursive: true });
    for (const entry of entries) {
      const digest = digests.get(entry.id);
      await this.#write(["entries", `${entry.id}.json`], { digest, entry });
      this.#cards.set(entry.id, { digest, card: cardOf(entry) });
    }
  }

  async forget(ids) {
    for (const id of ids) {
      this.#cards.delete(id);
      await rm(this.#file("entries", `${id}.json`), { force: true });
    }
  }

  async save(kept) {
    await mkdir(this.folder, { recursive: true });
    this.index = { form: FORM, api: this.api, ...kept };
    await this.#write(["index.json"], this.index);
    this.#mark = this.#found();
  }

  /** Write under another name first, so that a build which breaks off leaves what was there. */
  async #write(names, value) {
    const file = this.#file(...names);
    await writeFile(`${file}.new`, JSON.stringify(value));
    await rename(`${file}.new`, file);
  }

  /** Return what tells the file of the index from any other that may come to lie there. */
  #found() {
    const found = statSync(this.#file("index.json"), { throwIfNoEntry: false, bigint: true });
    return found && `${found.ino}-${found.size}-${found.mtimeNs}`;
  }

  #file(...names) {
    return path.join(this.folder, ...names);
  }
}

function cardOf(entry) {
  const { id, slug, title, excerpt, year, completed_at, updated_at, cover, employer, tags } = entry;
  return { id, slug, title, excerpt, year, completed_at, updated_at, cover, employer, tags };
}
