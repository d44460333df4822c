// Uses the managing API as a program of its own would: compiled under `strict`, run against a server.
import createClient from "openapi-fetch";
import type { components, paths } from "./managing-api.js";

declare const process: { argv: string[] };

type Portfolio = components["schemas"]["Portfolio"];
type Fields = components["schemas"]["FieldErrors"];

const [, , baseUrl = "", key = ""] = process.argv;
const api = createClient<paths>({ baseUrl, headers: { Authorization: `Token ${key}` } });

function must<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`no ${what}`);
  return value;
}

const made = await api.POST("/api/tags/", { body: { name: "Typed" } });
const tag = must(made.data, "tag");
const slug: string = tag.slug;

const twice = await api.POST("/api/tags/", { body: { name: "Typed" } });
const errors: Fields = must(twice.error, "error") as Fields;
const reason: string = must(errors["name"], "reason")[0] as string;

const created = await api.POST("/api/portfolios/", {
  body: { title: "Typed", slug: "typed", excerpt: "From TypeScript.", tags: [tag.id], links: [{ name: "Site", url: "https://example.com" }] },
});
const portfolio: Portfolio = must(created.data, "portfolio");
const changed = await api.PATCH("/api/portfolios/{id}/", {
  params: { path: { id: portfolio.id } },
  body: { completed_at: "2026-11-29T12:00:00Z", description: null },
});
const completed: string | null = must(changed.data, "portfolio").completed_at;
const list = must((await api.GET("/api/portfolios/", { params: { query: { search: "typed", limit: 5 } } })).data, "list");
const deleted = await api.DELETE("/api/portfolios/{id}/", { params: { path: { id: portfolio.id } } });

console.log(JSON.stringify({ slug, reason, completed, found: list.results.map((row) => row.slug), status: deleted.response.status }));
