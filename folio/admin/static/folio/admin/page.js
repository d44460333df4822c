// What every page of the admin site can do: ask the server, tell its user what came of it, and what its parts share.

const texts = document.getElementById("folio-page-texts")?.dataset ?? {};
export const { unreachable = "" } = texts; // what is said where the server can't be reached
let region = null; // where screen readers listen for what is said

/** What the server, or the way to it, said against a request; `message` is a sentence for the user. */
export class Refusal extends Error {
  constructor(message, status = 0, errors = {}, wait = 0, stored = null) {
    super(message);
    this.status = status;
    this.errors = errors; // messages by field, where the server names fields
    this.wait = wait; // seconds after which the same is best tried again, where the server names them
    this.stored = stored; // values by field, where someone else has changed them meanwhile
  }
}

/** Return the token that Django wants to see with a change: the cookie's, which a sign-in in another tab renews. */
export function csrfToken() {
  const cookie = document.cookie.split("; ").find((part) => part.startsWith("csrftoken="));
  return cookie ? cookie.slice("csrftoken=".length) : document.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "";
}

/** Send `body` (an object as JSON, or FormData) and return the answer's JSON, or throw a Refusal. */
export async function send(url, body = {}, { method = "POST", signal } = {}) {
  const isForm = body instanceof FormData;
  const headers = { "X-CSRFToken": csrfToken(), Accept: "application/json" };
  if (!isForm) headers["Content-Type"] = "application/json";
  const init = { method, headers, signal, credentials: "same-origin", redirect: "follow" };
  if (method !== "GET") init.body = isForm ? body : JSON.stringify(body);
  let response;
  try {
    response = await fetch(url, init);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal(texts.unreachable);
  }
  return read(response.status, response.redirected, (name) => response.headers.get(name), await response.text());
}

/** Send a form with a file and call `onProgress(fraction)` while it goes; return the answer's JSON or throw a Refusal. */
export function upload(url, form, onProgress = () => {}, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", url);
    request.setRequestHeader("X-CSRFToken", csrfToken());
    request.setRequestHeader("Accept", "application/json");
    request.upload.addEventListener("progress", (event) => event.lengthComputable && onProgress(event.loaded / event.total));
    request.addEventListener("error", () => reject(new Refusal(texts.unreachable)));
    request.addEventListener("abort", () => reject(new DOMException("", "AbortError")));
    request.addEventListener("load", () => {
      try {
        const isRedirected = new URL(request.responseURL).pathname !== new URL(url, location.href).pathname;
        resolve(read(request.status, isRedirected, (name) => request.getResponseHeader(name), request.responseText));
      } catch (error) {
        reject(error);
      }
    });
    signal?.addEventListener("abort", () => request.abort());
    request.send(form);
  });
}

function read(status, isRedirected, header, text) {
  const isJson = (header("Content-Type") ?? "").includes("json");
  if (isRedirected && !isJson) throw new Refusal(texts.signedOut, 401);
  let answer = null;
  if (isJson && text) answer = JSON.parse(text);
  if (status >= 200 && status < 300 && (isJson || !text)) return answer;
  const wait = Number(header("Retry-After")) || 0;
  throw new Refusal(answer?.detail || texts.failed, status, answer?.errors ?? {}, wait, answer?.stored ?? null);
}

/**
 * Tell the user something, for a screen reader too, and return its words; errors stay until the next notice.
 *
 * One notice stands on the page at a time: the newest, which is about what the user did last.
 */
export function announce(message, kind = "success") {
  const list = document.getElementById("folio-announcements") ?? listOfAnnouncements();
  const home = document.querySelector("dialog:modal") ?? document.body; // all else is out of reach while one is open
  if (list.parentElement !== home) home.append(list);
  const item = document.createElement("div");
  item.className = `folio-announcement folio-announcement-${kind}`;
  const words = document.createElement("p");
  words.textContent = message;
  const close = document.createElement("button");
  close.type = "button";
  close.className = "material-symbols-outlined";
  close.textContent = "close";
  close.setAttribute("aria-label", texts.close);
  close.addEventListener("click", () => item.remove());
  item.append(words, close);
  list.replaceChildren(item);
  if (kind !== "error") setTimeout(() => item.remove(), 8000);
  return words;
}

/** Say something to screen readers, without a notice on the page. */
export function say(message) {
  const home = document.querySelector("dialog:modal") ?? document.body; // all else is out of reach while one is open
  if (!region || region.parentElement !== home) {
    region?.remove();
    region = document.createElement("div");
    region.className = "folio-hidden-visually folio-said";
    region.setAttribute("role", "status");
    home.append(region);
  }
  const words = document.createElement("p"); // each its own, so that the same words are said again
  words.textContent = message;
  setTimeout(() => region.append(words), 50); // a region that is new has to be known before it changes
  setTimeout(() => words.remove(), 10_000);
}

function listOfAnnouncements() {
  const list = document.createElement("div");
  list.id = "folio-announcements";
  list.setAttribute("role", "status");
  list.setAttribute("aria-live", "polite");
  return list;
}

/** Put values into a text such as `"Moved to place {place}."`, as the server translated it. */
export function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** Return a number as the server writes them: in the language's way, with the digits 0 to 9. */
export function number(value) {
  return value.toLocaleString(`${document.documentElement.lang || "en"}-u-nu-latn`);
}

/**
 * Return the place among `count` to which a key leads from another one; undefined for all other keys.
 *
 * `across` is how many stand beside each other, which is how far the arrows up and down lead.
 */
export function placeByKey(event, from, count, across = 1) {
  if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return undefined; // the browser's own
  const forward = document.dir === "rtl" ? -1 : 1;
  const to = {
    ArrowLeft: from - forward,
    ArrowRight: from + forward,
    ArrowUp: from - across,
    ArrowDown: from + across,
    Home: 0,
    End: count - 1,
  }[event.key];
  return to === undefined ? undefined : Math.max(0, Math.min(count - 1, to));
}

/** Return a part of an element, as templates name it by `data-part`. */
export function part(element, name) {
  return element.querySelector(`[data-part="${name}"]`);
}

/** Return the element that an answer holds as HTML. */
export function elementOf(html) {
  const holder = document.createElement("template");
  holder.innerHTML = html;
  return holder.content.firstElementChild;
}

/** Fill in what screen readers say of the controls of something that has a name. */
export function nameControls(element, name) {
  for (const label of element.querySelectorAll("[data-label]")) {
    const words = fill(label.dataset.label, { name });
    if (label.matches("input")) label.setAttribute("aria-label", words);
    else label.textContent = words;
  }
}

/** Put a text on the clipboard, or throw where the browser doesn't let it. */
export async function copy(text) {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
    return;
  }
  const box = document.createElement("textarea"); // over plain HTTP, browsers know no clipboard
  box.value = text;
  document.body.append(box);
  box.select();
  const isCopied = document.execCommand("copy");
  box.remove();
  if (!isCopied) throw new Error("Nothing was copied.");
}
