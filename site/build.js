// Build the site once: `node build.js [--all]`. Only what has changed since the last time is fetched and rendered.

import { build } from "./lib/build.js";

if (!(await build({ isAll: process.argv.includes("--all") }))) process.exitCode = 1;
