// The grid: all works, those with a tag, or those of a year, page by page.

import { card } from "./card.js";
import { filled, html, number } from "./html.js";

const SHOWN = 16; // tags that stand there without a click

export function list({ works, title, path, page, pages, base, filters }, { site, rules }) {
  const { texts } = site;
  const isHome = base === "/";
  return html`<header class="opening">
<h1 dir="auto"${isHome && html` class="tagline"`}>${isHome ? texts.tagline : title}</h1>
${filters.tags.length + filters.years.length > 1 && chooser(filters, base, site)}
</header>
${
  works.length
    ? html`<ul class="works">${works.map((work, place) => card(work, { site, rules, place, isLead: place === 0 && path === "/" && works.length > 2 }))}</ul>`
    : html`<p class="nothing">${texts.nothing}</p>`
}
${pages > 1 && pager({ page, pages, base }, site)}`;
}

function chooser({ tags, years }, base, site) {
  const { texts } = site;
  const link = ({ path, name }) =>
    html`<li><a href="${site.at(path)}"${path === base && html` aria-current="page"`}><bdi>${name}</bdi></a></li>`;
  const [first, rest] = [tags.slice(0, SHOWN), tags.slice(SHOWN)];
  return html`<nav class="chooser" aria-label="${texts.filter}"><ul>${link({ path: "/", name: texts.all })}${first.map(link)}</ul>${
    rest.length > 0 && html`<details${rest.some(({ path }) => path === base) && html` open`}><summary>${texts.more}</summary><ul>${rest.map(link)}</ul></details>`
  }${years.length > 1 && html`<ul>${years.map(link)}</ul>`}</nav>`;
}

function pager({ page, pages, base }, site) {
  const { texts } = site;
  const count = (value) => number(value, texts.lang);
  return html`<nav class="pager" aria-label="${texts.pages}">${
    page > 1 && html`<a rel="prev" href="${site.at(pagePath(base, page - 1))}">${texts.back}</a>`
  }<span>${filled(texts.of, { page: count(page), pages: count(pages) })}</span>${
    page < pages && html`<a rel="next" href="${site.at(pagePath(base, page + 1))}">${texts.forth}</a>`
  }</nav>`;
}

export const pagePath = (base, page) => (page === 1 ? base : `${base}page/${page}/`);
