// The way to the panel of a picture, whose scripts come with the first one that is opened.

import { announce, unreachable } from "../admin/page.js";

/** Open the panel at one of a shelf's items: panel.js tells what a shelf is. */
export async function openPanel(shelf, item) {
  let panel;
  try {
    panel = await import("./panel.js");
  } catch {
    announce(unreachable, "error");
    return;
  }
  await panel.openPanel(shelf, item);
}
