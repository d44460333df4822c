// What every page of the admin site can do: ask the server, and tell its user what came of it.

const texts = document.getElementById("folio-page-texts")?.dataset ?? {};

/** What the server, or the way to it, said against a request; `message` is a sentence for the user. */
export class Refusal extends Error {
  constructor(message, status = 0, errors = {}, wait = 0) {
    super(message);
    this.status = status;
    this.errors = errors; // messages by field, where the server names fields
    this.wait = wait; // seconds after which the same is best tried again, where the server names them
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
  throw new Refusal(answer?.detail || texts.failed, status, answer?.errors ?? {}, Number(header("Retry-After")) || 0);
}

/** Tell the user something, for a screen reader too; errors stay until they are closed. */
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
  list.append(item);
  if (kind !== "error") setTimeout(() => item.remove(), 8000);
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
