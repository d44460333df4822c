// A build: of what has changed since the last one.

import path from "node:path";
import { performance } from "node:perf_hooks";

import { plan } from "./plan.js";
import { HOME, settingsOf, Trouble } from "./settings.js";

const KINDS = ["works", "lists", "missing", "preview", "robots", "feed", "sitemap"];

/** Build, say in a line what that was, and return what was kept for the next build; nothing where there was trouble. */
export async function build({ isAll = false, known } = {}) {
  process.chdir(HOME); // Eleventy takes its paths from here
  try {
    const began = performance.now();
    const planned = await plan(settingsOf(), { isAll, known });
    if (!planned.isNothing) await make(planned);
    else await planned.save();
    const seconds = ((performance.now() - began) / 1000).toFixed(2);
    console.log(`${planned.due.length} of ${planned.pages.length} pages built, ${planned.gone.length} removed, ${seconds} s.`);
    return planned.cache;
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
    console.error(error.message);
    return undefined;
  }
}

/**
 * Eleventy can notice templates that change while it runs, by a thread that is asked for each module. It is told not
 * to: a process that has read a template never sees another one.
 */
export async function eleventy() {
  process.env.ELEVENTY_SKIP_ESM_RESOLVER ??= "true";
  return (await import("@11ty/eleventy")).default;
}

async function make(planned) {
  await planned.begin();
  if (planned.due.length) await render(planned);
  await planned.finish();
}

async function render(planned) {
  const Eleventy = await eleventy();
  const run = new Eleventy("pages", path.relative(HOME, planned.settings.output), {
    configPath: "eleventy.config.js",
    quietMode: true,
    config(config) {
      config.addGlobalData("site", () => planned.site);
      config.addGlobalData("changed", () => Object.fromEntries(KINDS.map((kind) => [kind, planned.of(kind)])));
    },
  });
  run.disableLogger();
  await run.write();
}
