// `node tools/size.js` fails when the first page needs more than a phone should have to load.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const BYTES_MAX = 170_000; // gzipped: scripts and styles of index.html, and itself
const STATIC = new URL("../../movieql/web/static/", import.meta.url);

/** The files that a page loads before it is on screen. */
export function filesOf(html) {
  return [...html.matchAll(/(?:src|href)="\/static\/([^"]+\.(?:js|css))"/g)].map(([, path]) => path);
}

const html = readFileSync(new URL("index.html", STATIC), "utf8");
const files = ["index.html", ...filesOf(html)];
const sizes = files.map((file) => gzipSync(readFileSync(new URL(file, STATIC))).length);
const bytes = sizes.reduce((sum, size) => sum + size, 0);
files.forEach((file, index) => console.log(`${String(sizes[index]).padStart(8)}  ${file}`));
console.log(`${String(bytes).padStart(8)}  bytes gzipped in all, of ${String(BYTES_MAX)}`);
if (bytes > BYTES_MAX) throw new Error("index.html needs too much");
