// The page of a work, from what Folio answers of an entry by itself: built ahead, and in browsers for the preview.

import { card } from "./card.js";
import { html, markup, number, tagPath, workPath } from "./html.js";
import { largest, picture, ratio } from "./picture.js";

const WIDE = 82; // rem: the most that a page is wide between its margins, as in site.css
const TALL = 1.25; // times as wide as high: what is less may not be higher than a window
const TALLEST = 85; // vh
const ROW = 2.2; // how many times as wide as high a row of the gallery is at least
const MOST_IN_ROW = 3;

export function work(entry, { site, rules }) {
  const { texts } = site;
  const pictures = new Set([entry.cover, ...entry.gallery].map((image) => image?.id));
  const files = entry.meta.filter(({ value_file }) => value_file?.src && !pictures.has(value_file.id));
  const shown = files.filter(({ value_file }) => ["video", "audio", "image"].includes(value_file.type));
  return html`<article>
<header class="opening">
<h1 dir="auto">${entry.title}</h1>
<p class="excerpt" dir="auto">${entry.excerpt}</p>
</header>
<div class="first${entry.cover && tall(entry.cover) && html` tall ${rules.class(entry.cover)}`}">
${
  entry.cover &&
  html`<figure class="cover${tall(entry.cover)}">${zoomed(entry.cover, picture(entry.cover, { rules, sizes: whole(entry.cover), isFirst: true }), texts)}</figure>`
}
<div class="telling">
${facts(entry, files, site)}
${entry.description_html && html`<div class="prose" dir="auto">${markup(entry.description_html)}</div>`}
</div>
</div>
${shown.map((item) => media(item, texts))}
${
  entry.gallery.length > 0 &&
  html`<section class="gallery" aria-label="${texts.gallery}">${rows(entry.gallery).map((row) => galleryRow(row, rules, texts))}</section>`
}
${documents(
  files.filter((item) => !shown.includes(item)),
  texts,
)}
</article>
${neighbours(entry.neighbours, site)}
${
  entry.related.length > 0 &&
  html`<section class="related"><h2>${texts.related}</h2><ul class="works">${entry.related
    .slice(0, 3)
    .map((other) => card(other, { site, rules, heading: "h3" }))}</ul></section>`
}
${lightbox(texts)}`;
}

const tall = (image) => ratio(image) < TALL && " tall";

/** Return `sizes` of a picture that has a row to itself. */
function whole(image) {
  return tall(image) ? `min(92vw, ${Math.round(TALLEST * ratio(image))}vh)` : `min(92vw, ${WIDE}rem)`;
}

/** A link to the picture by itself, which a script turns into an enlarged view within the page. */
function zoomed(image, shown, texts) {
  const name = image.alt ? `${texts.enlarge}: ${image.alt}` : texts.enlarge;
  return html`<a class="zoom" href="${largest(image)}" aria-label="${name}">${shown}</a>`;
}

function facts({ year, employer, tags, meta, links }, files, site) {
  const { texts } = site;
  const told = meta.filter((item) => item.value_text && !files.includes(item));
  if (!(year || employer || tags.length || told.length || links.length)) return "";
  return html`<aside class="facts" aria-label="${texts.facts}"><dl>
${year && html`<div><dt>${texts.year}</dt><dd><a href="${site.at(`/year/${year}/`)}">${number(year, texts.lang)}</a></dd></div>`}
${employer && html`<div><dt>${texts.client}</dt><dd dir="auto">${employer.name}</dd></div>`}
${
  tags.length > 0 &&
  html`<div><dt>${texts.tags}</dt><dd><ul>${tags.map(
    (tag) => html`<li><a href="${site.at(tagPath(tag.slug))}"><bdi>${tag.name}</bdi></a></li>`,
  )}</ul></dd></div>`
}
${told.map(({ key, value_text }) => html`<div><dt dir="auto">${key}</dt><dd dir="auto">${value_text}</dd></div>`)}
${
  links.length > 0 &&
  html`<div><dt>${texts.links}</dt><dd><ul>${links.map(
    ({ name, url, description }) =>
      html`<li dir="auto">${url ? html`<a href="${url}" rel="noopener">${name}</a>` : name}${description && html` <small>${description}</small>`}</li>`,
  )}</ul></dd></div>`
}
</dl></aside>`;
}

/** A film, a sound or a picture among the meta entries. */
function media({ key, value_text, value_file: file }, texts) {
  const size = file.width && file.height ? html` width="${file.width}" height="${file.height}"` : "";
  const name = value_text || file.name;
  const shown = {
    video: () =>
      html`<video src="${file.src}"${file.poster && html` poster="${file.poster}"`}${size} controls playsinline preload="none" aria-label="${name}"></video>`,
    audio: () => html`<audio src="${file.src}" controls preload="none" aria-label="${name}"></audio>`,
    image: () =>
      html`<a class="zoom" href="${file.src}" aria-label="${texts.enlarge}${file.alt && `: ${file.alt}`}"><img src="${file.src}" alt="${file.alt}"${size} loading="lazy" decoding="async"></a>`,
  }[file.type];
  return html`<figure class="media">${shown()}<figcaption dir="auto">${key}${value_text && html` <small>${value_text}</small>`}</figcaption></figure>`;
}

function documents(items, texts) {
  if (!items.length) return "";
  return html`<section class="documents"><h2>${texts.files}</h2><ul>${items.map(
    ({ key, value_text, value_file: file }) => html`<li><a href="${file.src}">${
      file.poster &&
      html`<img src="${file.poster}" alt=""${file.width && file.height && html` width="${file.width}" height="${file.height}"`} loading="lazy" decoding="async">`
    }<span><strong dir="auto">${value_text || key}</strong> <small><bdi>${file.name}</bdi>, ${weight(file.size, texts.lang)}</small></span></a></li>`,
  )}</ul></section>`;
}

/** A size for people: 71 kB, 2.5 MB. */
function weight(bytes, lang) {
  const [unit, value] = bytes < 1e6 ? ["kilobyte", Math.max(1, Math.round(bytes / 1e3))] : ["megabyte", bytes / 1e6];
  return new Intl.NumberFormat(lang, { style: "unit", unit, maximumFractionDigits: 1 }).format(value);
}

/** Put a gallery's pictures into rows in which all have one height, whatever their forms. */
export function rows(images) {
  const found = [[]];
  for (const image of images) {
    const row = found.at(-1);
    const isFull = row.length === MOST_IN_ROW || row.reduce((sum, each) => sum + ratio(each), 0) >= ROW;
    if (isFull) found.push([image]);
    else row.push(image);
  }
  return found.filter((row) => row.length);
}

function galleryRow(row, rules, texts) {
  const sum = row.reduce((so_far, image) => so_far + ratio(image), 0);
  return html`<div class="row${row.length === 1 && html` single${tall(row[0])}`}">${row.map((image) => {
    const share = ratio(image) / sum;
    const sizes =
      row.length === 1
        ? whole(image)
        : `(min-width: 48rem) min(${Math.round(92 * share)}vw, ${Math.round(WIDE * share)}rem), 92vw`;
    return html`<figure class="${rules.class(image)} framed">${zoomed(image, picture(image, { rules, sizes }), texts)}${
      image.caption && html`<figcaption dir="auto">${image.caption}</figcaption>`
    }</figure>`;
  })}</div>`;
}

function neighbours({ previous, next }, site) {
  if (!previous && !next) return "";
  const link = (other, rel, name) =>
    other &&
    html`<a class="${rel}" rel="${rel}" href="${site.at(workPath(other.slug))}"><small>${name}</small> <bdi>${other.title}</bdi></a>`;
  return html`<nav class="neighbours" aria-label="${site.texts.neighbours}">${link(previous, "prev", site.texts.previous)}${link(next, "next", site.texts.next)}</nav>`;
}

function lightbox(texts) {
  return html`<template id="lightbox"><dialog class="lightbox" aria-label="${texts.enlarged}"><button class="close" aria-label="${texts.close}">×</button><button class="prev" aria-label="${texts.previous}">‹</button><figure></figure><button class="next" aria-label="${texts.next}">›</button></dialog></template>`;
}

/** Return what search engines read of a work. */
export function linkedData(entry, { site }) {
  const { texts } = site;
  return {
    "@context": "https://schema.org",
    "@type": "CreativeWork",
    name: entry.title,
    description: entry.excerpt,
    url: site.absolute(workPath(entry.slug)),
    image: entry.cover ? [largest(entry.cover)] : undefined,
    dateCreated: entry.completed_at?.slice(0, 10),
    dateModified: entry.updated_at,
    keywords: entry.tags.length ? entry.tags.map(({ name }) => name).join(", ") : undefined,
    sourceOrganization: entry.employer ? { "@type": "Organization", name: entry.employer.name } : undefined,
    creator: { "@type": "Organization", name: texts.title, url: site.absolute("/") },
    inLanguage: texts.lang,
  };
}
