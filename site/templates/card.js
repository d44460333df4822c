// A work as a link to it shows it: in the grid, and below another work.

import { html, markup, number, workPath } from "./html.js";
import { CROP, cut, factor, picture } from "./picture.js";

// How wide a card is, beside the columns of .works in site.css.
const CARD = [
  ["(min-width: 90rem)", 26, "rem"],
  ["(min-width: 64rem)", 29, "vw"],
  ["(min-width: 40rem)", 44, "vw"],
  ["", 92, "vw"],
];
const LEAD = [
  ["(min-width: 90rem)", 54, "rem"],
  ["(min-width: 64rem)", 60, "vw"],
  ["", 92, "vw"],
];
const LEAD_BOX = 1.15; // how many times as wide as high a lead is beside two rows of cards
const MOST = 960; // pixels that a place needs: 26rem on a screen with two for one
const MOST_LEAD = 1920;

export function card(work, { site, rules, place = Infinity, isLead = false, heading = "h2" }) {
  const { texts } = site;
  const isFirst = place === 0;
  const facts = [work.year && number(work.year, texts.lang), work.employer?.name].filter(Boolean);
  return html`<li class="card${isLead && " lead"}"><a href="${site.at(workPath(work.slug))}">${
    work.cover
      ? picture(work.cover, {
          rules,
          sizes: isLead ? cut(work.cover, LEAD, LEAD_BOX) : cut(work.cover, CARD),
          most: isLead ? MOST_LEAD : MOST * factor(work.cover, CROP),
          isFirst,
          isEager: place < 3,
          alt: work.cover.alt,
        })
      : html`<span class="words" dir="auto" aria-hidden="true">${work.excerpt ?? work.title}</span>`
  }${markup(`<${heading} dir="auto">`)}${work.title}${markup(`</${heading}>`)}</a>${
    facts.length > 0 && html`<p>${facts.map((fact) => html`<bdi>${fact}</bdi>`)}</p>`
  }</li>`;
}
