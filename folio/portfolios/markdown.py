"""Markdown as HTML that may stand in any page: docs/decisions/0033-markdown.md tells what it makes of what, and why.

CommonMark with tables and strikethrough, where a line break is a line break and an indented line is no code. HTML in it
is text. A hostile text takes its author's time alone: what is too long, too deep or would grow too much is shown as it
was written.
"""

import re
from collections.abc import Iterable, Sequence
from html import escape, unescape
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import nh3
from django.core.files.storage import default_storage
from django.db.models import F, IntegerField, Value
from django.urls import get_script_prefix
from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, table
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from folio.media.documents import MediaPool
from folio.media.models import Media, MediaType, Thumbnail
from folio.media.pixels import fit
from folio.snapshots.caches import SnapshotCache

LONGEST = 100_000  # characters; what is longer is shown as it was written
DEEPEST = 12  # quotes within quotes, of which each takes one, and lists within lists, of which each takes two
CELLS = 10_000  # of all tables of a text: a row of one cell is filled up to the table's width
GROWTH = 4  # how often a text's own length its addresses may take, which references repeat
SCHEMES = {"http", "https", "mailto", "tel"}
LOWEST_HEADING = 6
KEPT = 4 * 1024 * 1024  # bytes of what was made of texts
NAMES = 10_000  # of files that one query asks for; a page of hostile texts may name more than a database takes at once

TAGS = {
    *("p", "br", "hr", "h2", "h3", "h4", "h5", "h6", "blockquote", "ul", "ol", "li", "pre"),
    *("code", "em", "strong", "s", "a", "img", "table", "thead", "tbody", "tr", "th", "td"),
}
Size = tuple[int, int]  # width and height, in pixels
ATTRIBUTES = {"a": {"href", "title", "rel"}, "img": {"src", "alt", "title"}, "ol": {"start"}}
ALIGNED = {"align": {"left", "center", "right"}}
cleaner = nh3.Cleaner(
    tags=TAGS,
    clean_content_tags=set(),
    attributes=ATTRIBUTES,
    tag_attribute_values={"th": ALIGNED, "td": ALIGNED},
    url_schemes=SCHEMES,
    link_rel=None,  # it is ours: see `adapt`
)

# Of what the cleaner writes: values stand in double quotes, and no `<` stands in a text.
ADDRESS = re.compile(r'<(img src|a href)="([^"]*)"')
BREAK = re.compile(r"<br>|<hr>|</(?:p|h[2-6]|li|pre|tr)>")
CELL = re.compile(r"</t[hd]>\s*")
TAG = re.compile(r'<(?:[^>"]|"[^"]*")*>')
PARAGRAPHS = re.compile(r"\n[ \t]*\n\s*")

made = SnapshotCache(KEPT)  # clean HTML by text: it depends on nothing else, so that it outlives every snapshot
ALWAYS = 0  # the one snapshot of it


class Parser(MarkdownIt):
    def validateLink(self, url: str) -> bool:
        """Tell whether a link or picture may lead there; what may not is shown as it was written."""
        before, colon, _ = re.split("[/?#]", url, maxsplit=1)[0].partition(":")
        return not colon or before.lower() in SCHEMES


def too_deep(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Take what is nested too deep as it was written, to the end of what it is nested in."""
    if silent or state.level < DEEPEST:
        return False
    line = start
    while line < end and (state.isEmpty(line) or state.sCount[line] >= state.blkIndent):
        line += 1
    return take(state, start, line)


def bounded_table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Take a table; as it was written, with the lines after it, where those of the text would have too many cells."""
    is_table = table(state, start, end, True)
    if silent or not is_table:
        return is_table
    width = state.getLines(start, start + 1, 0, False).count("|") + 1
    line = next((line for line in range(start, end) if state.isEmpty(line)), end)
    left = state.env.get("cells", CELLS)
    if width * (line - start) > left:
        return take(state, start, line)
    before = len(state.tokens)
    table(state, start, end, False)
    state.env["cells"] = left - sum(token.type in {"th_open", "td_open"} for token in state.tokens[before:])
    return True


def take(state: StateBlock, start: int, end: int) -> bool:
    """Take lines as they were written."""
    state.push("plain", "", 0).content = state.getLines(start, end, state.blkIndent, False)
    state.line = end
    return True


def adapt(state: StateCore) -> None:
    """Let headings begin below the page's own, cells say by an attribute how they are aligned, and links their rel."""
    for token in state.tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(int(token.tag[1]) + 1, LOWEST_HEADING)}"
        elif token.type in {"th_open", "td_open"} and "style" in token.attrs:
            token.attrs = {"align": str(token.attrs["style"]).removeprefix("text-align:")}
        for child in token.children or ():
            if child.type == "link_open" and re.match("(https?:)?//", str(child.attrs["href"]), re.IGNORECASE):
                child.attrs["rel"] = "noopener"


def plain_token(tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    return as_written(tokens[index].content)


def new_parser() -> Parser:
    parser = Parser("commonmark", {"html": False, "breaks": True, "xhtmlOut": False})
    parser.enable(["table", "strikethrough"]).disable("code")
    parser.block.ruler.at("table", bounded_table, {"alt": ["paragraph", "reference"]})
    parser.block.ruler.before("table", "too_deep", too_deep)
    parser.core.ruler.push("adapt", adapt)
    parser.renderer.rules["plain"] = plain_token  # type: ignore[attr-defined]
    # Each gathers its rules at its first use, and another thread would find a part of them.
    for ruler in (parser.core.ruler, parser.block.ruler, parser.inline.ruler, parser.inline.ruler2):
        ruler.getRules("")
    return parser


parser = new_parser()


def rendered(text: str, base: str) -> str:
    """Return a text's HTML; see `rendered_all`."""
    return rendered_all([text], base)[0]


class Rendered(NamedTuple):
    """A text's HTML, and what it depends on besides the text: the sizes of the installation's pictures in it."""

    html: str
    sizes: dict[str, Size | None]  # by the names of files; None for what is no picture


def rendered_all(texts: Iterable[str], base: str) -> list[str]:
    """Return the HTML of each text, safe in any page, in one query for the pictures of all, and none without any.

    `base` is the scheme and host that absolute URLs begin with, without a slash. The addresses of this installation's
    files are made absolute, for the HTML is shown on another site; its pictures get their sizes.
    """
    return [each.html for each in rendered_with_sizes(texts, base)]


def rendered_with_sizes(texts: Iterable[str], base: str) -> list[Rendered]:
    """Return the HTML of each text as `rendered_all` does, and the sizes that went into it."""
    htmls = [html_of(text) for text in texts]
    files = Files(base)
    names = [set(files.names(html)) for html in htmls]
    known = sizes_of(set().union(*names))
    return [
        Rendered(
            ADDRESS.sub(lambda match: files.told(match, known), html), {name: known.get(name) for name in sorted(each)}
        )
        for html, each in zip(htmls, names, strict=True)
    ]


def plain(text: str) -> str:
    """Return what a text's HTML says without its tags: a line for each paragraph, item, row and line break."""
    html = BREAK.sub("\n", CELL.sub(" ", html_of(text)))
    lines = (line.strip() for line in unescape(TAG.sub("", html)).split("\n"))
    return "\n".join(line for line in lines if line)


def html_of(text: str) -> str:
    """Return a text's clean HTML, with the addresses as they were written; what was made of it lately is kept."""
    html: str | None = made.get(ALWAYS, text)
    if html is None:
        html = cleaner.clean(marked(text))
        made.put(ALWAYS, text, html, 2 * (len(text) + len(html)))
    return html


def marked(text: str) -> str:
    """Return the HTML of a text's marks; of one that is too long or grows too much, of its paragraphs."""
    if len(text) > LONGEST:
        return as_written(text)
    env: dict[str, Any] = {}
    tokens = parser.parse(text, env)
    written = sum(len(str(value)) for token in walk(tokens) for value in token.attrs.values())
    if written > GROWTH * max(len(text), 1000):
        return as_written(text)
    return str(parser.renderer.render(tokens, parser.options, env))


def walk(tokens: Iterable[Token]) -> Iterable[Token]:
    for token in tokens:
        yield token
        if token.children:
            yield from walk(token.children)


def as_written(text: str) -> str:
    """Return paragraphs with line breaks, and nothing else that a text's marks may mean."""
    paragraphs = PARAGRAPHS.split(text.strip())
    return "".join("<p>" + escape(each).replace("\n", "<br>\n") + "</p>\n" for each in paragraphs if each)


class Files:
    """The addresses of this installation's files."""

    def __init__(self, base: str) -> None:
        self.url = MediaPool((), base).url
        # Texts keep the addresses that files had when they were written, and all of them go on answering.
        now = default_storage.url("-")[:-1]
        served = now if now.startswith("/") else f"{get_script_prefix()}media/"
        places = [urlsplit(each) for each in dict.fromkeys((self.url("-")[:-1], f"{base}{served}"))]
        self.folders = [f"//{place.netloc}{place.path}" for place in places if place.netloc]
        self.folders.append(served)

    def name(self, url: str) -> str | None:
        """Return the name in the storage of what an address leads to; None where it leads elsewhere."""
        place = re.sub("^https?:", "", url, flags=re.IGNORECASE)
        for folder in self.folders:
            if place.startswith(folder) and "?" not in place and "#" not in place:
                return unquote(place[len(folder) :])
        return None

    def names(self, html: str) -> Iterable[str]:
        for kind, url in ADDRESS.findall(html):
            name = self.name(unescape(url)) if kind == "img src" else None
            if name and "\0" not in name:  # which PostgreSQL can't be asked for
                yield name

    def told(self, match: re.Match[str], known: dict[str, Size]) -> str:
        """Return the beginning of a tag with an absolute address, and with the size of a known picture."""
        kind, name = match[1], self.name(unescape(match[2]))
        if name is None:
            return match[0]
        told = f'<{kind}="{escape(self.url(name))}"'
        if kind == "img src" and name in known:
            width, height = known[name]
            told += f' width="{width}" height="{height}" loading="lazy"'
        return told


def sizes_of(names: set[str]) -> dict[str, Size]:
    """Return the width and height, in pixels, of those of the files that are images or their thumbnails."""
    found: dict[str, Size] = {}
    listed = sorted(names)
    for start in range(0, len(listed), NAMES):
        some = listed[start : start + NAMES]
        originals = Media.objects.order_by().filter(type=MediaType.IMAGE, file__in=some)
        thumbnails = Thumbnail.objects.order_by().filter(file__in=some, media__width__isnull=False)
        rows = originals.values_list("file", "width", "height", Value(None, output_field=IntegerField())).union(
            thumbnails.values_list("file", F("media__width"), F("media__height"), "size"), all=True
        )
        found |= {name: fit((width, height), size or max(width, height)) for name, width, height, size in rows}
    return found
