// Reads what is published as a website would: compiled under `strict`, run against a server.
import createClient from "openapi-fetch";
import type { components, paths } from "./public-api.js";

declare const process: { argv: string[] };

type Image = components["schemas"]["Image"];

const [, , baseUrl = ""] = process.argv;
const api = createClient<paths>({ baseUrl });

function must<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`no ${what}`);
  return value;
}

function picture(image: Image): string {
  const sources = image.sources.map((source) => `<source type="${source.type}" srcset="${source.srcset}">`);
  return `<picture>${sources.join("")}<img src="${image.src}" alt="${image.alt}" width="${image.width}"></picture>`;
}

const list = must(
  (await api.GET("/api/public/portfolios/", { params: { query: { limit: 3, include: "gallery,description" } } })).data,
  "list",
);
const pictures = list.results.map((entry) => (entry.cover ? picture(entry.cover) : ""));
const captions = list.results.flatMap((entry) => (entry.gallery ?? []).map((image) => image.caption));
const first = must(list.results[0], "entry");
const entry = must(
  (await api.GET("/api/public/portfolios/{slug}/", { params: { path: { slug: first.slug ?? "" } } })).data,
  "entry",
);
const next: string | undefined = entry.neighbours?.next?.slug;
const facets = must((await api.GET("/api/public/facets/", {})).data, "facets");
const years: number[] = facets.years.map((facet) => facet.year);
const missing = await api.GET("/api/public/portfolios/{slug}/", { params: { path: { slug: "never-was" } } });

console.log(
  JSON.stringify({ count: list.count, pictures, captions, next, years, title: entry.title, status: missing.response.status }),
);
