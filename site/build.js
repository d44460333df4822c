// Build the site once: `node build.js [--all]`. Only what has changed since the last time is fetched and rendered.

import path from "node:path";
import { performance } from "node:perf_hooks";

import { plan } from "./lib/plan.js";
import { HOME, settingsOf, Trouble } from "./lib/settings.js";

const KINDS = ["works", "lists", "missing", "preview", "robots", "feed", "sitemap"];

process.chdir(HOME); // Eleventy takes its paths from here

try {
  const began = performance.now();
  const planned = await plan(settingsOf(), { isAll: process.argv.includes("--all") });
  if (!planned.isNothing) await build(planned);
  else await planned.save();
  const seconds = ((performance.now() - began) / 1000).toFixed(2);
  console.log(`${planned.due.length} of ${planned.pages.length} pages built, ${planned.gone.length} removed, ${seconds} s.`);
} catch (error) {
  if (!(error instanceof Trouble)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

async function build(planned) {
  await planned.begin();
  if (planned.due.length) await render(planned);
  await planned.finish();
}

async function render(planned) {
  const { default: Eleventy } = await import("@11ty/eleventy");
  const eleventy = new Eleventy("pages", path.relative(HOME, planned.settings.output), {
    configPath: "eleventy.config.js",
    quietMode: true,
    config(config) {
      config.addGlobalData("site", () => planned.site);
      config.addGlobalData("changed", () => Object.fromEntries(KINDS.map((kind) => [kind, planned.of(kind)])));
    },
  });
  eleventy.disableLogger();
  await eleventy.write();
}
