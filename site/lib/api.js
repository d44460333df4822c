// Reading what Folio has published. No key is needed, and none is ever sent.

import { setTimeout as sleep } from "node:timers/promises";

import { Trouble } from "./settings.js";

const TRIES = 4;
const PATIENCE = 60_000; // milliseconds for an answer
const LONGEST_WAIT = 30; // seconds that Folio may ask us to wait
const MOST_AT_ONCE = 100; // entries of one answer
const LONGEST_LIST = 6000; // characters of slugs in an address
const AT_A_TIME = 4; // requests
const PARTS = "description,gallery,links,meta,share_image";

export class Api {
  constructor(base) {
    this.base = base;
  }

  /** Return the answer, and its ETag; nothing of it where it is still the one with `etag`. */
  async read(path, etag) {
    for (let tried = 1; ; tried += 1) {
      const { response, error, text } = await this.#ask(path, etag);
      if (response?.status === 304) return { isSame: true };
      if (response?.ok) return { body: JSON.parse(text), etag: response.headers.get("etag") };
      const mayPass = error || response.status >= 500 || response.status === 429;
      if (!mayPass || tried === TRIES) throw new Trouble(this.#told(path, response, error, text));
      const wait = Number(response?.headers.get("retry-after")) || tried / 2;
      await sleep(1000 * Math.min(wait, LONGEST_WAIT));
    }
  }

  async #ask(path, etag) {
    const headers = etag ? { "If-None-Match": etag } : {};
    try {
      const response = await fetch(this.base + path, { headers, signal: AbortSignal.timeout(PATIENCE) });
      return { response, text: await response.text() };
    } catch (error) {
      return { error };
    }
  }

  #told(path, response, error, text) {
    if (error) return `Folio does not answer at ${this.base}: ${error.cause?.message ?? error.message}. Is it running?`;
    let detail = text;
    try {
      detail = JSON.parse(text).detail ?? text;
    } catch {
      // a proxy's page, say
    }
    return `${this.base}${path}: ${response.status} ${detail.slice(0, 300)}`;
  }

  /**
   * Return every published entry as `{id, slug, digest}` in order, and what to keep for the next time.
   *
   * What was kept is asked for on condition that it changed, so that asking costs next to nothing.
   */
  async manifest(kept = []) {
    const pages = [];
    let path = "/api/public/manifest/?limit=1000";
    let isSame = true;
    while (path) {
      const known = kept[pages.length]?.path === path ? kept[pages.length] : undefined;
      const answer = await this.read(path, known?.etag);
      isSame &&= Boolean(answer.isSame);
      const page = answer.isSame ? known : { path, etag: answer.etag, ...this.#shortened(answer.body) };
      pages.push(page);
      path = page.next;
    }
    const rows = new Map(); // an entry that moved between two pages is told twice
    for (const page of pages) for (const [id, slug, digest] of page.rows) rows.set(id, { id, slug, digest });
    return { rows: [...rows.values()], pages, isSame: isSame && pages.length === kept.length };
  }

  /** Return of a page of the manifest what is kept: half as long as it was told. */
  #shortened({ next, results }) {
    const { pathname, search } = next ? new URL(next, this.base) : {};
    return {
      next: next && (pathname + search).slice(pathname.indexOf("/api/public/")),
      rows: results.map(({ id, slug, digest }) => [id, slug, digest]),
    };
  }

  /** Return the entries with these slugs by their ids; those that were hidden meanwhile are missing. */
  async entries(slugs) {
    const found = new Map();
    const batches = batchesOf(slugs);
    const work = async () => {
      for (let batch = batches.shift(); batch; batch = batches.shift()) {
        const { body } = await this.read(
          `/api/public/portfolios/?slugs=${batch.join(",")}&limit=${MOST_AT_ONCE}&include=${PARTS}`,
        );
        for (const entry of body.results) found.set(entry.id, entry);
      }
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, work));
    return found;
  }
}

function batchesOf(slugs) {
  const batches = [];
  let length = 0;
  for (const slug of slugs.map(encodeURIComponent)) {
    const batch = batches.at(-1);
    length += slug.length + 1;
    if (!batch || batch.length === MOST_AT_ONCE || length > LONGEST_LIST) {
      batches.push([slug]);
      length = slug.length;
    } else {
      batch.push(slug);
    }
  }
  return batches;
}
