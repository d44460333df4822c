// What every template knows.

import { Assets } from "./files.js";

export class Site {
  constructor({ texts, api, address }, assets) {
    this.texts = texts;
    this.api = api;
    this.address = address; // where the site will be, such as https://studio.example; null where nobody said
    this.base = address ? new URL(address).pathname.replace(/\/$/, "") : "";
    this.assets = `/assets/${assets.hash}/`;
    this.font = Assets.font(texts.lang);
  }

  /** Return a path of the site as links name it. */
  at(path) {
    return encodeURI(this.base + path);
  }

  /** Return a page's whole address, where it is known. */
  absolute(path) {
    return this.address ? this.address + encodeURI(path) : undefined;
  }

  asset(name) {
    return this.at(this.assets + name);
  }
}
