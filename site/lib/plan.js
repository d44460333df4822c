// What has to be built: which entries are new, changed or gone since the last time, and which pages show them.

import { existsSync } from "node:fs";
import { rm, rmdir } from "node:fs/promises";
import path from "node:path";

import { Api } from "./api.js";
import { Cache } from "./cache.js";
import { Assets, fingerprint, hashOf } from "./files.js";
import { alike, listsOf } from "./order.js";
import { Trouble } from "./settings.js";
import { Site } from "./site.js";
import { workPath } from "../templates/html.js";
import { largest } from "../templates/picture.js";

const NEWEST = 50; // entries of the feed

/** Read what has changed, and return a plan of the pages to build; `known` is the cache of a build before it here. */
export async function plan(settings, { isAll = false, known } = {}) {
  const api = new Api(settings.api);
  const cache = await Cache.open(settings.cache, settings.api, known);
  const manifest = await api.manifest(cache.index.manifest);
  const rows = await currentRows(api, cache, manifest);
  const related = relatedOf(rows, cache.index.related);
  const assets = await Assets.read(settings.texts.lang);
  const site = new Site(settings, assets);
  const look = await fingerprint(JSON.stringify([settings.texts, settings.api, settings.address, settings.perPage]));
  const pages = [...works(rows, related.places), ...lists(rows, settings), ...others(rows, site)];
  for (const page of pages) page.key = hashOf(look, assets.hash, ...page.madeOf);
  const kept = isAll ? {} : cache.index.pages;
  const due = pages.filter(({ path: at, key }) => kept[at] !== key || !existsSync(fileOf(settings.output, at)));
  await findLost(api, cache, due);
  for (const page of due) page.prepare?.(cache);
  const paths = new Set(pages.map((page) => page.path));
  const gone = Object.keys(cache.index.pages).filter((at) => !paths.has(at));
  return new Plan({ settings, cache, manifest, rows, related, assets, site, pages, due, gone });
}

class Plan {
  constructor(parts) {
    Object.assign(this, parts);
  }

  get isNothing() {
    return this.due.length + this.gone.length === 0 && existsSync(path.join(this.settings.output, this.site.assets));
  }

  /** Return the pages to build of a kind, for the template of that kind. */
  of(kind) {
    return this.due.filter((page) => page.kind === kind);
  }

  async begin() {
    await this.assets.write(this.settings.output);
  }

  /** Remove what is gone, and keep what was built: from here on it counts as done. */
  async finish() {
    for (const at of this.gone) await remove(this.settings.output, at);
    await this.assets.removeOthers(this.settings.output);
    await this.save();
  }

  async save() {
    const { rows, related } = this;
    const ids = new Set(rows.map(({ id }) => id));
    await this.cache.forget(this.cache.index.rows.map(({ id }) => id).filter((id) => !ids.has(id)));
    const pages = Object.fromEntries(this.pages.map((page) => [page.path, page.key]));
    await this.cache.save({ manifest: this.manifest.pages, rows, related, pages });
  }
}

export const fileOf = (output, at) => path.join(output, at.endsWith("/") ? `${at}index.html` : at);

async function remove(output, at) {
  const file = fileOf(output, at);
  await rm(file, { force: true });
  for (let folder = path.dirname(file); folder !== output; folder = path.dirname(folder)) {
    try {
      await rmdir(folder);
    } catch {
      return; // another page lies in it
    }
  }
}

/** Return the rows of all entries in order; only what the manifest says is new or changed is fetched. */
async function currentRows(api, cache, manifest) {
  const kept = new Map(cache.index.rows.map((row) => [row.id, row]));
  const isKept = ({ id, digest }) => kept.get(id)?.digest === digest;
  const fetched = await fetchInto(
    cache,
    api,
    manifest.rows.filter((row) => !isKept(row)),
  );
  const rows = manifest.rows.map((row) => {
    if (isKept(row)) return kept.get(row.id);
    // An entry may be newer than the digest by now: then the next manifest has another one, and it is read again.
    return fetched.has(row.id) ? rowOf(fetched.get(row.id), row.digest) : null;
  });
  return rows.filter(Boolean);
}

/** Fetch entries, and keep them with the digests that the manifest tells. */
async function fetchInto(cache, api, rows) {
  const entries = [...(await api.entries(rows.map(({ slug }) => slug))).values()].map(plain);
  await cache.keep(entries, new Map(rows.map(({ id, digest }) => [id, digest])));
  return new Map(entries.map((entry) => [entry.id, entry]));
}

/** Fetch again what pages need and the cache has lost. */
async function findLost(api, cache, due) {
  const lost = new Set();
  for (const { row, needs } of due) {
    if (row && !cache.has(row)) lost.add(row);
    for (const other of needs) if (!cache.card(other)) lost.add(other);
  }
  await fetchInto(cache, api, [...lost]);
}

/** Return what is alike, by places; it is found anew only where an order, a tag or an employer is another one. */
function relatedOf(rows, before) {
  const of = hashOf(JSON.stringify(rows.map(({ id, employer, tags }) => [id, employer, tags.map(({ slug }) => slug)])));
  return of === before.of ? before : { of, places: alike(rows) };
}

/** Leave out what no page shows: the pictures of tags and employers, which are most of many an entry. */
function plain(entry) {
  const { image: _, ...employer } = entry.employer ?? {};
  return {
    ...entry,
    employer: entry.employer && employer,
    tags: entry.tags.map(({ id, slug, name }) => ({ id, slug, name })),
  };
}

/** What has to be known of every entry to find out which pages show it, and to list it in the sitemap. */
function rowOf({ id, slug, title, excerpt, year, updated_at, completed_at, cover, employer, tags }, digest) {
  return {
    id,
    slug,
    digest,
    year,
    completed_at,
    updated_at,
    tags: tags.map(({ slug, name }) => ({ slug, name })),
    employer: employer?.slug ?? null,
    origin: cover && new URL(cover.src).origin,
    picture: cover && largest(cover),
    card: hashOf(JSON.stringify([slug, title, excerpt, year, cover, employer])),
  };
}

const linked = ({ slug, title, cover }) => ({ slug, title, cover });

function found(kept, row) {
  if (!kept) throw new Trouble(`${row.slug} was hidden while it was built: build again.`);
  return kept;
}

function works(rows, related) {
  return rows.map((row, place) => {
    const previous = rows[place - 1] ?? null;
    const next = rows[place + 1] ?? null;
    const alike = related[place].map((other) => rows[other]);
    const others = [previous, next, ...alike];
    return {
      kind: "works",
      row,
      path: workPath(row.slug),
      madeOf: [row.digest, ...others.map((other) => other?.card ?? "")],
      needs: others.filter(Boolean),
      prepare(cache) {
        const link = (other) => other && linked(found(cache.card(other), other));
        this.entry = {
          ...found(cache.entry(row), row),
          neighbours: { previous: link(previous), next: link(next) },
          related: alike.map(link),
        };
      },
    };
  });
}

function lists(rows, settings) {
  return listsOf(rows, settings).map((list) => ({
    ...list,
    kind: "lists",
    madeOf: [JSON.stringify([list.title, list.page, list.pages]), list.filters.key, ...list.works.map(({ card }) => card)],
    needs: list.works,
    prepare(cache) {
      this.works = list.works.map((row) => found(cache.card(row), row));
    },
  }));
}

/** The pages of which there is one. Feed and sitemap hold whole addresses, so they need to know where the site is. */
function others(rows, site) {
  const origins = [...new Set(rows.flatMap(({ origin }) => origin ?? []))].sort();
  const pages = [
    { kind: "missing", path: "/404.html", madeOf: [], needs: [] },
    { kind: "preview", path: "/preview/", origins, madeOf: origins, needs: [] },
    { kind: "robots", path: "/robots.txt", madeOf: [], needs: [] },
  ];
  if (site.address) {
    const newest = [...rows].sort(byDate).slice(0, NEWEST);
    pages.push({
      kind: "feed",
      path: "/feed.xml",
      madeOf: newest.map(({ card, completed_at, updated_at, tags }) => JSON.stringify([card, completed_at, updated_at, tags])),
      needs: newest,
      prepare(cache) {
        this.works = newest.map((row) => found(cache.card(row), row));
      },
    });
    const placed = rows.map(({ slug, updated_at, picture }) => ({ slug, updated_at, picture }));
    pages.push({ kind: "sitemap", path: "/sitemap.xml", works: placed, madeOf: [JSON.stringify(placed)], needs: [] });
  }
  return pages;
}

const byDate = (one, other) => dateOf(other).localeCompare(dateOf(one)) || other.id - one.id;
const dateOf = (row) => row.completed_at ?? "";
