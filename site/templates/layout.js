// What is around every page: its head, with the policy that no script but the site's own runs, and header and footer.

import { createHash } from "node:crypto";

import { html, markup } from "./html.js";

export function layout(content, { site, rules, ...page }) {
  const { texts } = site;
  const styles = String(rules ?? "");
  const address = page.path ? site.absolute(page.path) : undefined;
  const title = page.title ? `${page.title} — ${texts.title}` : texts.title;
  const description = page.description ?? texts.description;
  const policy = policyOf(site, { content, styles, connects: page.connects, images: page.images });
  return String(html`<!doctype html>
<html lang="${texts.lang}" dir="${texts.dir}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="${page.isPrivate ? "no-referrer" : "strict-origin-when-cross-origin"}">
${page.isPrivate && html`<meta name="robots" content="noindex">\n`}<title>${title}</title>
<meta name="description" content="${description}">
<link rel="preload" href="${site.asset(site.font)}" as="font" type="font/woff2" crossorigin>
<link rel="stylesheet" href="${site.asset("site.css")}">
${styles && html`<style>${markup(styles)}</style>\n`}<link rel="icon" href="${site.asset("icon.svg")}" type="image/svg+xml">
${address && html`<link rel="canonical" href="${address}">\n`}${site.address && html`<link rel="alternate" type="application/atom+xml" href="${site.at("/feed.xml")}" title="${texts.title}">\n`}${
    address && social({ ...page, title: page.title ?? texts.title, description, address }, texts)
  }${page.data && html`<script type="application/ld+json">${markup(safeJSON(page.data))}</script>\n`}${page.script && html`<script type="module" src="${site.asset(page.script)}"></script>\n`}</head>
<body>
<a class="skip" href="#content">${texts.skip}</a>
<header class="head"><a class="brand" href="${site.at("/")}" dir="auto"${page.path === "/" && html` aria-current="page"`}>${texts.title}</a>${
    page.path !== "/" && html`<a class="back" href="${site.at("/")}">${texts.all}</a>`
  }</header>
<main id="content" tabindex="-1">
${content}
</main>
<footer class="foot"><p dir="auto">${texts.footer}</p>${site.address && html`<p><a href="${site.at("/feed.xml")}">${texts.feed}</a></p>`}</footer>
</body>
</html>
`);
}

function social({ kind = "website", title, description, address, image, imageAlt }, texts) {
  const named = { "og:type": kind, "og:title": title, "og:description": description, "og:url": address, "og:site_name": texts.title };
  if (image) Object.assign(named, { "og:image": image, "og:image:width": "1200", "og:image:height": "630" });
  if (image && imageAlt) named["og:image:alt"] = imageAlt;
  return html`${Object.entries(named).map(([name, value]) => html`<meta property="${name}" content="${value}">\n`)}<meta name="twitter:card" content="${image ? "summary_large_image" : "summary"}">\n`;
}

export const safeJSON = (data) => JSON.stringify(data).replaceAll("<", "\\u003c");

/**
 * Return the policy of a page: its own scripts and styles, and pictures from where its pictures are.
 *
 * The <style> of a page is allowed by its hash. A host that sends headers may add `frame-ancestors`, which only they can.
 */
function policyOf(site, { content, styles, connects = [], images = [] }) {
  const media = [...new Set([new URL(site.api).origin, ...originsIn(content), ...images])].sort().join(" ");
  const hash = styles ? ` 'sha256-${createHash("sha256").update(styles).digest("base64")}'` : "";
  return [
    "default-src 'none'",
    `img-src 'self' data: ${media}`,
    `media-src ${media}`,
    "font-src 'self'",
    `style-src 'self'${hash}`,
    "script-src 'self'",
    `connect-src ${connects.join(" ") || "'none'"}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
}

/** Whatever is no plain host is left out: a policy is no place for what somebody typed. */
const originsIn = (content) =>
  [...String(content).matchAll(/ (?:src|srcset|poster)="(https?:\/\/[\w.:[\]-]+)/g)].map(([, origin]) => origin);
