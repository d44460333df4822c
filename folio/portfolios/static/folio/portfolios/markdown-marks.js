// What a button or key does to a text in Markdown. Each function is given `{ text, start, end }`, a text and what is
// selected of it, and returns `{ from, to, put, start, end }`: what to put in place of which part, and what is selected then.

const ITEM = /^(\s*)(?:([-*+])|(\d{1,9})([.)]))( +|$)/;
const QUOTE = /^\s*>[ ]?/;
const LETTER = /[\p{L}\p{N}\p{M}_\u200c]/u; // half-spaces too: they stand within Persian words
const HEADINGS = ["", "# ", "## ", "### "]; // one after another; the first is an h2
const ADDRESS = /^(https?:\/\/|mailto:)\S+$/i;
const EMPTY_ADDRESS = "https://";

/** Put marks around what is selected, or around the word at the caret; take them off where they are. */
export function wrap({ text, start, end }, mark) {
  if (start === end) [start, end] = wordAt(text, start);
  while (start < end && /\s/.test(text[start])) start += 1; // marks within a space mean nothing
  while (end > start && /\s/.test(text[end - 1])) end -= 1;
  const size = mark.length;
  const chosen = text.slice(start, end);
  if (isMarked(text.slice(0, start), text.slice(end), mark)) {
    return { from: start - size, to: end + size, put: chosen, start: start - size, end: end - size };
  }
  const inner = chosen.slice(size, -size);
  if (chosen.length >= 2 * size && isMarked(chosen.slice(0, size), chosen.slice(-size), mark) && !/[*\n]/.test(inner)) {
    return { from: start, to: end, put: inner, start, end: start + inner.length };
  }
  // A mark ends with its paragraph, so each line gets its own.
  const put = chosen.split("\n").map((line) => (line.trim() || chosen === "" ? markLine(line, mark) : line)).join("\n");
  const isLines = chosen.includes("\n");
  return { from: start, to: end, put, start: isLines ? start : start + size, end: isLines ? start + put.length : end + size };
}

function markLine(line, mark) {
  const [, before, inner, after] = line.match(/^(\s*(?:(?:[-*+>]|\d{1,9}[.)])\s+)*)(.*?)(\s*)$/);
  return `${before}${mark}${inner}${mark}${after}`;
}

/** Tell whether just this mark stands at the end of one text and at the beginning of another: `*` is no part of `**`. */
function isMarked(before, after, mark) {
  const left = before.match(/\**$/)[0].length;
  const right = after.match(/^\**/)[0].length;
  const found = Math.min(left, right);
  return mark.length === 1 ? found % 2 === 1 : found >= 2;
}

function wordAt(text, place) {
  let [start, end] = [place, place];
  while (start > 0 && LETTER.test(text[start - 1])) start -= 1;
  while (end < text.length && LETTER.test(text[end])) end += 1;
  return start < place && place < end ? [start, end] : [place, place];
}

/** Make a heading of each line that is selected, then one of the next level, then none. */
export function heading(given) {
  const next = (line) => {
    const mark = line.match(/^#{1,6} /)?.[0] ?? "";
    return HEADINGS[(HEADINGS.indexOf(mark) + 1) % HEADINGS.length] + line.slice(mark.length);
  };
  return eachLine(given, (lines) => lines.map(next));
}

/** Make an item of each line that is selected, or lines of items. */
export function list(given) {
  return eachLine(given, (lines) => {
    const areItems = lines.every((line) => ITEM.test(line) || !line.trim());
    if (areItems && lines.some((line) => line.trim())) return lines.map((line) => line.replace(ITEM, "$1"));
    return lines.map((line) => (line.trim() || lines.length === 1 ? `- ${line.replace(ITEM, "$1")}` : line));
  });
}

/** Quote the lines that are selected, or quote them no more. */
export function quote(given) {
  return eachLine(given, (lines) => {
    const areQuoted = lines.every((line) => QUOTE.test(line));
    return lines.map((line) => (areQuoted ? line.replace(QUOTE, "") : `> ${line}`));
  });
}

function eachLine({ text, start, end }, change) {
  const from = text.lastIndexOf("\n", start - 1) + 1;
  const to = text.indexOf("\n", Math.max(end - (end > start && text[end - 1] === "\n" ? 1 : 0), from));
  const until = to < 0 ? text.length : to;
  const lines = text.slice(from, until).split("\n");
  const changed = change(lines);
  const put = changed.join("\n");
  if (start !== end) return { from, to: until, put, start: from, end: from + put.length };
  const caret = Math.max(from, start + changed[0].length - lines[0].length);
  return { from, to: until, put, start: caret, end: caret };
}

/** Make a link of what is selected; what is missing, its text or its address, is selected next. */
export function link({ text, start, end }) {
  const chosen = text.slice(start, end);
  if (ADDRESS.test(chosen)) return { from: start, to: end, put: `[](${chosen})`, start: start + 1, end: start + 1 };
  const put = `[${chosen}](${EMPTY_ADDRESS})`;
  const address = start + chosen.length + 3;
  if (!chosen) return { from: start, to: end, put, start: start + 1, end: start + 1 };
  return { from: start, to: end, put, start: address, end: address + EMPTY_ADDRESS.length };
}

/** Put a picture where the caret is, in a paragraph of its own where that is an empty line. */
export function picture({ text, start, end }, mark) {
  return { from: start, to: end, put: mark, start: start + mark.length, end: start + mark.length };
}

/** Go on with the list or quote at the caret; end it where its last item is empty. Nothing in all other places. */
export function nextLine({ text, start, end }) {
  if (start !== end) return null;
  const from = text.lastIndexOf("\n", start - 1) + 1;
  const line = text.slice(from, start);
  const item = line.match(ITEM);
  const mark = item?.[0] ?? line.match(QUOTE)?.[0];
  if (!mark || (item && !item[5])) return null;
  const rest = text.slice(start).split("\n", 1)[0];
  if (line.length === mark.length && !rest.trim()) return { from, to: start, put: "", start: from, end: from };
  const next = item?.[3] ? `${item[1]}${Number(item[3]) + 1}${item[4]}${item[5]}` : mark;
  const caret = start + next.length + 1;
  return { from: start, to: end, put: `\n${next}`, start: caret, end: caret };
}
