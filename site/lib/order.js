// What follows from all entries together: neighbours, what is alike, tags, years and the pages of the grid.

import { hashOf } from "./files.js";
import { pagePath } from "../templates/list.js";
import { number, tagPath } from "../templates/html.js";

const MOST_RELATED = 3;

/** Return the places of those most like each entry, as Folio does: most tags in common, then the same employer, then in order. */
export function alike(rows) {
  const ofTags = new Map();
  const ofEmployers = new Map();
  rows.forEach((row, place) => {
    for (const { slug } of row.tags) add(ofTags, slug, place);
    if (row.employer) add(ofEmployers, row.employer, place);
  });
  const likeness = new Uint16Array(rows.length); // two for each tag in common, one for the employer
  return rows.map((row, place) => {
    const groups = row.tags.map(({ slug }) => ofTags.get(slug));
    const colleagues = row.employer ? ofEmployers.get(row.employer) : [];
    for (const group of groups) for (const other of group) likeness[other] += 2;
    for (const other of colleagues) likeness[other] += 1;
    const isBefore = (one, other) => (likeness[one] - likeness[other] || other - one) > 0;
    const found = [];
    const consider = (other) => {
      if (other === place || found.includes(other)) return;
      let at = found.length;
      while (at > 0 && isBefore(other, found[at - 1])) at -= 1;
      if (at < MOST_RELATED) found.splice(at, 0, other);
      if (found.length > MOST_RELATED) found.pop();
    };
    for (const group of [...groups, colleagues]) {
      for (const other of group) {
        const last = found[MOST_RELATED - 1];
        if (last === undefined || isBefore(other, last)) consider(other);
      }
    }
    for (let other = 0; other <= MOST_RELATED && other < rows.length; other += 1) consider(other);
    for (const group of groups) for (const other of group) likeness[other] = 0;
    for (const other of colleagues) likeness[other] = 0;
    return found;
  });
}

function add(map, key, value) {
  if (map.has(key)) map.get(key).push(value);
  else map.set(key, [value]);
}

/** Return the pages of the grid: all works, those of each tag, those of each year. */
export function listsOf(rows, { texts, perPage }) {
  const groups = new Map();
  for (const row of rows) {
    for (const tag of row.tags) {
      const path = tagPath(tag.slug);
      if (!groups.has(path)) groups.set(path, { path, name: tag.name, works: [] });
      groups.get(path).works.push(row);
    }
    if (row.year) {
      const path = `/year/${row.year}/`;
      if (!groups.has(path)) groups.set(path, { path, name: number(row.year, texts.lang), year: row.year, works: [] });
      groups.get(path).works.push(row);
    }
  }
  const inOrder = new Intl.Collator(texts.lang, { numeric: true }).compare;
  const all = [...groups.values()];
  const link = ({ path, name }) => ({ path, name });
  const filters = {
    tags: mostUsed(all.filter(({ year }) => !year), inOrder).map(link),
    years: all
      .filter(({ year }) => year)
      .sort((one, other) => other.year - one.year)
      .map(link),
  };
  filters.key = hashOf(JSON.stringify(filters)); // they are the same on all pages
  const bases = [{ path: "/", name: null, works: rows }, ...all];
  return bases.flatMap(({ path: base, name, works }) => {
    const pages = Math.max(1, Math.ceil(works.length / perPage));
    return Array.from({ length: pages }, (_, index) => ({
      path: pagePath(base, index + 1),
      base,
      title: name,
      page: index + 1,
      pages,
      works: works.slice(index * perPage, (index + 1) * perPage),
      filters,
    }));
  });
}

/** By name; where there are many, those that most works have come first. */
function mostUsed(tags, inOrder) {
  const byName = (one, other) => inOrder(one.name, other.name);
  if (tags.length <= 16) return tags.sort(byName);
  tags.sort((one, other) => other.works.length - one.works.length || byName(one, other));
  return [...tags.slice(0, 16).sort(byName), ...tags.slice(16).sort(byName)];
}
