// Build whenever serve.js asks for it, with what the last build read and loaded at hand.
//
// A process of its own is begun anew when a file of the site has changed: modules that were read are never read again.

import { build, eleventy } from "./lib/build.js";

let known;
let isBuilding = Promise.resolve();

process.on("message", () => {
  isBuilding = isBuilding.then(async () => {
    known = await build({ known });
    process.send("built");
    await eleventy(); // so that the next build need not wait for it, where this one rendered nothing
  });
});
process.on("disconnect", () => process.exit());
