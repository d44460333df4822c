// What is built, from where and to where: the environment decides, and texts.json.

import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

export const HOME = fileURLToPath(new URL("..", import.meta.url));

export class Trouble extends Error {} // told to people in a line, without where in the program it came up

export function settingsOf(environment = process.env) {
  const texts = path.resolve(HOME, environment.SITE_TEXTS || "texts.json");
  return {
    api: address(environment, "API_URL", "http://127.0.0.1:8000"),
    address: address(environment, "SITE_URL", null),
    texts: readTexts(texts),
    output: path.resolve(HOME, environment.SITE_OUTPUT || "_site"),
    cache: path.resolve(HOME, environment.SITE_CACHE || ".cache"),
    perPage: whole(environment, "SITE_PER_PAGE", 24),
  };
}

export function whole(environment, name, otherwise, least = 1) {
  const text = environment[name];
  if (!text) return otherwise;
  if (!/^\d{1,6}$/.test(text) || Number(text) < least) {
    throw new Trouble(`${name} is ${JSON.stringify(text)}; it has to be a whole number from ${least} on.`);
  }
  return Number(text);
}

function address(environment, name, otherwise) {
  const text = environment[name];
  if (!text) return otherwise;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.search || url.hash) {
    throw new Trouble(`${name} is ${JSON.stringify(text)}; it has to be an address such as https://studio.example.`);
  }
  return url.href.replace(/\/+$/, "");
}

/** A text that is missing is the one of texts.json; one that no page shows is a misspelling. */
function readTexts(file) {
  const known = readJSON(path.join(HOME, "texts.json"));
  const found = readJSON(file);
  for (const name of Object.keys(found)) {
    if (!(name in known)) throw new Trouble(`${path.basename(file)} has a text that no page shows: ${name}.`);
    if (typeof found[name] !== "string") throw new Trouble(`${path.basename(file)}: ${name} has to be a text.`);
  }
  const texts = { ...known, ...found };
  if (!["ltr", "rtl"].includes(texts.dir)) throw new Trouble(`${path.basename(file)}: dir is "ltr" or "rtl".`);
  try {
    new Intl.NumberFormat(texts.lang);
  } catch {
    throw new Trouble(`${path.basename(file)}: lang is a language's code, such as "en" or "fa".`);
  }
  return texts;
}

function readJSON(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new Trouble(`${file}: ${error.message}`);
  }
}
