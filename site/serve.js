// Build the site, serve it, and build it again when something has changed: what Folio publishes, or a file of the site.

import { fork } from "node:child_process";
import { createReadStream, watch } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createGzip } from "node:zlib";

import { Api } from "./lib/api.js";
import { HOME, settingsOf, Trouble, whole } from "./lib/settings.js";
import { isSigned } from "./lib/webhook.js";

const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".xml": "application/xml; charset=utf-8",
  ".txt": "text/plain; charset=utf-8",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};
const HOOK = "/hooks/folio";
const LARGEST = 1024 * 1024; // bytes of a webhook's message
const SETTLING = 200; // milliseconds after a change of a file, for editors write more than once
const MOST_BUILDS = 200; // of one process, for what it has loaded and keeps grows a little with each

/** Builds one after another: what is asked for while one runs is one more behind it. */
class Builder {
  #isRunning = false;
  #isAsked = false;
  #child;
  #builds = 0;
  #isOutdated = false;

  async build() {
    this.#isAsked = true;
    if (this.#isRunning) return;
    this.#isRunning = true;
    while (this.#isAsked) {
      this.#isAsked = false;
      await this.#run();
    }
    this.#isRunning = false;
  }

  /** Build in a new process, for a file of the site has changed, and this one has read what it was. */
  buildAnew() {
    this.#isOutdated = true;
    return this.build();
  }

  /** A process that stays has Eleventy loaded and knows what it built, which is most of what a small build takes. */
  #run() {
    if (this.#isOutdated || this.#builds === MOST_BUILDS) {
      if (this.#child?.connected) this.#child.disconnect(); // it ends
      this.#child = undefined;
    }
    this.#isOutdated = false;
    return new Promise((resolve) => {
      const child = (this.#child ??= this.#begun());
      this.#builds += 1;
      const done = () => {
        child.off("message", done).off("exit", done);
        resolve();
      };
      child.on("message", done).on("exit", done);
      child.send("build");
    });
  }

  #begun() {
    this.#builds = 0;
    const child = fork(path.join(HOME, "builder.js"));
    child.on("error", console.error);
    child.on("exit", () => {
      if (this.#child === child) this.#child = undefined; // the next build begins another one
    });
    return child;
  }
}

async function fileOf(output, address) {
  let at;
  try {
    at = decodeURIComponent(address);
  } catch {
    return null;
  }
  const file = path.join(output, at);
  if (at.includes("\0") || (file !== output && !file.startsWith(output + path.sep))) return null;
  const found = await stat(file).catch(() => null);
  if (!found?.isDirectory()) return found && { file, found };
  if (!at.endsWith("/")) return { redirect: `${address}/` };
  const index = path.join(file, "index.html");
  const inside = await stat(index).catch(() => null);
  return inside && { file: index, found: inside };
}

async function answer(settings, request, response) {
  const { pathname, search } = new URL(request.url, "http://localhost");
  const served = await fileOf(settings.output, pathname.replace(/^\/{2,}/, "/"));
  if (served?.redirect) {
    response.writeHead(301, { Location: served.redirect + search }).end();
    return;
  }
  const { file, found } = served ?? (await fileOf(settings.output, "/404.html")) ?? {};
  if (!file) {
    response.writeHead(503, { "Content-Type": "text/plain" }).end("The site is not built yet.\n");
    return;
  }
  const type = TYPES[path.extname(file)] ?? "application/octet-stream";
  const etag = `"${found.mtimeMs.toString(36)}-${found.size.toString(36)}"`;
  const headers = {
    "Content-Type": type,
    "Cache-Control": pathname.startsWith("/assets/") && served ? "public, max-age=31536000, immutable" : "no-cache",
    ETag: etag,
    Vary: "Accept-Encoding",
    "X-Content-Type-Options": "nosniff",
  };
  if (served && request.headers["if-none-match"] === etag) {
    response.writeHead(304, headers).end();
    return;
  }
  const isText = /^text|xml/.test(type);
  const isShort = isText && /\bgzip\b/.test(request.headers["accept-encoding"] ?? "");
  if (isShort) headers["Content-Encoding"] = "gzip";
  else headers["Content-Length"] = found.size;
  response.writeHead(served ? 200 : 404, headers);
  if (request.method === "HEAD") {
    response.end();
    return;
  }
  const stream = createReadStream(file).on("error", () => response.destroy());
  if (isShort) stream.pipe(createGzip()).pipe(response);
  else stream.pipe(response);
}

/** A webhook says that something has changed: what it was, the manifest says. */
async function hear(request, response, secret, builder) {
  const parts = [];
  let size = 0;
  for await (const part of request) {
    size += part.length;
    if (size > LARGEST) {
      response.writeHead(413, { Connection: "close" }).end();
      return;
    }
    parts.push(part);
  }
  if (!isSigned(secret, request.headers, Buffer.concat(parts))) {
    response.writeHead(401).end();
    return;
  }
  response.writeHead(204).end();
  console.log("Folio told of a change.");
  await builder.build();
}

async function look(settings, seconds, builder) {
  const api = new Api(settings.api);
  let kept;
  let isAway = false;
  for (;;) {
    try {
      const manifest = await api.manifest(kept);
      kept = manifest.pages;
      if (!manifest.isSame || isAway) await builder.build();
      isAway = false;
    } catch (error) {
      if (!(error instanceof Trouble)) throw error;
      if (!isAway) console.error(`${error.message} Asking again.`);
      isAway = true;
    }
    await sleep(1000 * seconds);
  }
}

function watchFiles(builder) {
  let timer;
  for (const folder of [".", "lib", "templates", "pages", "browser"]) {
    watch(path.join(HOME, folder), (_, name) => {
      if (!/\.(js|css|json|svg)$/.test(name ?? "") || name === "package-lock.json") return;
      clearTimeout(timer);
      timer = setTimeout(() => builder.buildAnew(), SETTLING);
    });
  }
}

async function main() {
  const port = whole(process.env, "SITE_PORT", 8080);
  process.env.SITE_URL ||= `http://127.0.0.1:${port}`;
  const settings = settingsOf();
  const seconds = whole(process.env, "SITE_POLL_SECONDS", 2, 0);
  const secret = process.env.SITE_WEBHOOK_SECRET;
  const builder = new Builder();
  await builder.build();
  const server = createServer((request, response) => {
    const isHook = request.url === HOOK && secret;
    let done;
    if (isHook && request.method === "POST") done = hear(request, response, secret, builder);
    else if (!isHook && ["GET", "HEAD"].includes(request.method)) done = answer(settings, request, response);
    else response.writeHead(405, { Allow: isHook ? "POST" : "GET, HEAD" }).end();
    done?.catch((error) => {
      console.error(error);
      response.destroy();
    });
  });
  server.on("error", (error) => {
    console.error(error.code === "EADDRINUSE" ? `The port ${port} is taken: choose another, SITE_PORT=${port + 1}.` : error);
    process.exit(1);
  });
  server.listen(port, "127.0.0.1", () => {
    console.log(`The site is at http://127.0.0.1:${port}/ and follows ${settings.api}.`);
    if (secret) console.log(`It hears webhooks at http://127.0.0.1:${port}${HOOK}.`);
  });
  watchFiles(builder);
  if (seconds) look(settings, seconds, builder);
}

try {
  await main();
} catch (error) {
  if (!(error instanceof Trouble)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
