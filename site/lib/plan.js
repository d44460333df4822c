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

const NEWEST = 50; // entries of the feed

/** Read what has changed, and return a plan of the pages to build. */
export async function plan(settings, { isAll = false } = {}) {
  const api = new Api(settings.api);
  const cache = await Cache.open(settings.cache, settings.api);
  const manifest = await api.manifest(cache.index.manifest);
  const rows = await currentRows(api, cache, manifest);
  const assets = await Assets.read();
  const site = new Site(settings, assets);
  const look = await fingerprint(JSON.stringify([settings.texts, settings.api, settings.address, settings.perPage]));
  const pages = [...works(rows), ...lists(rows, settings), ...others(rows, site)];
  for (const page of pages) page.key = hashOf(look, assets.hash, ...page.madeOf);
  const kept = isAll ? {} : cache.index.pages;
  const due = pages.filter(({ path: at, key }) => kept[at] !== key || !existsSync(fileOf(settings.output, at)));
  await findLost(api, cache, due);
  for (const page of due) page.prepare?.(cache);
  const paths = new Set(pages.map((page) => page.path));
  const gone = Object.keys(cache.index.pages).filter((at) => !paths.has(at));
  return new Plan({ settings, cache, manifest, rows, assets, site, pages, due, gone });
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
    const rows = Object.fromEntries(this.rows.map((row) => [row.id, row]));
    await this.cache.forget(Object.keys(this.cache.index.rows).filter((id) => !(id in rows)));
    const pages = Object.fromEntries(this.pages.map((page) => [page.path, page.key]));
    await this.cache.save({ manifest: this.manifest.pages, rows, pages });
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
  const kept = cache.index.rows;
  const isKept = ({ id, digest }) => kept[id]?.digest === digest;
  const fetched = await api.entries(manifest.rows.filter((row) => !isKept(row)).map(({ slug }) => slug));
  const entries = [...fetched.values()].map(plain);
  await cache.keep(entries);
  const rows = manifest.rows.map((row) => {
    if (isKept(row)) return kept[row.id];
    // An entry may be newer than the digest by now: then the next manifest has another one, and it is read again.
    return fetched.has(row.id) ? rowOf(plain(fetched.get(row.id)), row.digest) : null;
  });
  return rows.filter(Boolean);
}

/** Fetch again what pages need and the cache has lost. */
async function findLost(api, cache, due) {
  const lost = due.filter(({ kind, id }) => kind === "works" && !cache.has(id));
  const fetched = await api.entries(lost.map(({ slug }) => slug));
  await cache.keep([...fetched.values()].map(plain));
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

/** What other pages show of an entry. */
function rowOf(entry, digest) {
  const { id, slug, title, excerpt, year, completed_at, updated_at, cover, employer, tags } = entry;
  const card = { id, slug, title, excerpt, year, cover, employer };
  return {
    ...card,
    completed_at,
    updated_at,
    tags,
    digest,
    card: hashOf(JSON.stringify([slug, title, excerpt, year, cover, employer])),
  };
}

const linked = (row) => row && { slug: row.slug, title: row.title, cover: row.cover };

function works(rows) {
  const related = alike(rows);
  return rows.map((row, place) => {
    const previous = rows[place - 1] ?? null;
    const next = rows[place + 1] ?? null;
    return {
      kind: "works",
      id: row.id,
      slug: row.slug,
      path: workPath(row.slug),
      madeOf: [row.digest, ...[previous, next, ...related[place]].map((other) => other?.card ?? "")],
      prepare(cache) {
        const entry = cache.entry(row.id);
        if (!entry) throw new Trouble(`${row.slug} was hidden while it was built: build again.`);
        this.entry = {
          ...entry,
          neighbours: { previous: linked(previous), next: linked(next) },
          related: related[place].map(linked),
        };
      },
    };
  });
}

function lists(rows, settings) {
  return listsOf(rows, settings).map((list) => ({
    ...list,
    kind: "lists",
    madeOf: [JSON.stringify([list.title, list.page, list.pages, list.filters]), ...list.works.map(({ card }) => card)],
  }));
}

/** The pages of which there is one. Feed and sitemap hold whole addresses, so they need to know where the site is. */
function others(rows, site) {
  const origins = [...new Set(rows.flatMap(({ cover }) => (cover ? [new URL(cover.src).origin] : [])))].sort();
  const found = [
    { kind: "missing", path: "/404.html", madeOf: [] },
    { kind: "preview", path: "/preview/", origins, madeOf: origins },
    { kind: "robots", path: "/robots.txt", madeOf: [] },
  ];
  if (site.address) {
    const newest = [...rows].sort(byDate).slice(0, NEWEST);
    const shown = (row) => JSON.stringify([row.card, row.updated_at, row.tags]);
    found.push({ kind: "feed", path: "/feed.xml", works: newest, madeOf: newest.map(shown) });
    found.push({ kind: "sitemap", path: "/sitemap.xml", works: rows, madeOf: rows.map(shown) });
  }
  return found;
}

const byDate = (one, other) => dateOf(other).localeCompare(dateOf(one)) || other.id - one.id;
const dateOf = (row) => row.completed_at ?? "";
