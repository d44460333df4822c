"""The sentence that shows why a search found a portfolio."""

import re
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING

from folio.api.folding import AROUND, fold, is_unspaced, letters, words_of_text

from ..markdown import plain
from .content import LONGEST_TEXT, Texts

if TYPE_CHECKING:
    from .finding import Word

SENTENCE = re.compile(r"(?<=[.!?…؟۔])\s+|(?<=[。！？])\s*|\n+")
LONGEST = 300  # characters; of a longer sentence, what stands around the first match is shown
BEFORE = 60  # characters of it that are shown before the match
CHUNK = re.compile(r"\S+")
Span = tuple[int, int]


def highlight(texts: Texts, words: Sequence["Word"]) -> str | None:
    """Return the sentence of a portfolio's texts that most of the words match, as HTML; None where no text does.

    Of several, the first one: in the excerpt, the description, the meta texts, and last the title, which is shown
    anyway.
    """
    best: tuple[int, str, list[Span]] | None = None
    for sentence in filter(Glance(words), sentences(texts)):
        spans, count = matches(sentence, words)
        if count > (best[0] if best else 0):
            best = count, sentence, spans
            if count == len(words):
                break
    return marked(*best[1:]) if best else None


class Glance:
    """Tells whether a text may match, without taking it to its words: most do not."""

    def __init__(self, words: Sequence["Word"]) -> None:
        self.beginnings = [each for word in words for each in word.alternatives]
        self.is_open = any(word.is_forgiven for word in words)  # what is due may have words that nobody knows yet

    def __call__(self, text: str) -> bool:
        if self.is_open:
            return True
        folded = fold(text)
        return any(each in folded for each in self.beginnings)


def sentences(texts: Texts) -> Iterator[str]:
    own = (texts.excerpt, plain(texts.description or "")[:LONGEST_TEXT], *texts.meta, texts.title)
    for text in own:
        for sentence in SENTENCE.split(text[:LONGEST_TEXT]):
            if sentence.strip():
                yield sentence.strip()


def matches(sentence: str, words: Sequence["Word"]) -> tuple[list[Span], int]:
    """Return where a sentence matches, and how many of the words do so."""
    spans: list[Span] = []
    matched: set[str] = set()
    may_match = Glance(words)
    for chunk in CHUNK.finditer(sentence):
        if not may_match(chunk[0]):
            continue
        found = matching(chunk[0], words)
        if found:
            matched.update(word.text for word in found)
            spans += ((chunk.start() + first, chunk.start() + last) for first, last in spans_of(chunk[0], found))
    return spans, len(matched)


def matching(text: str, words: Iterable["Word"]) -> list["Word"]:
    theirs = list(words_of_text(text))
    return [word for word in words if any(map(word.matches, theirs))]


def spans_of(chunk: str, words: Sequence["Word"]) -> list[Span]:
    """Return what of a chunk is marked: the parts that match, or all of it but what stands around it in a sentence."""
    if any(map(is_unspaced, chunk)):
        return [unspaced(chunk, words)]
    parts = [part.span() for part in CHUNK.finditer(chunk.translate(letters))]
    spans = [(first, last) for first, last in parts if matching(chunk[first:last], words)]
    if len({word.text for first, last in spans for word in matching(chunk[first:last], words)}) == len(words):
        return [(first, min(last, first + LONGEST)) for first, last in spans]
    return [around(chunk)]


def unspaced(chunk: str, words: Iterable["Word"]) -> Span:
    """Return the first match in a text without spaces."""
    pieces = [fold(character) for character in chunk]
    folded = "".join(pieces)
    found = [(folded.find(each), len(each)) for word in words for each in word.alternatives if each in folded]
    if not found:
        return around(chunk)
    first, size = min(found)
    origins = [index for index, piece in enumerate(pieces) for _ in piece]
    return origins[first], origins[first + size - 1] + 1


def around(chunk: str) -> Span:
    bare = chunk.strip(AROUND) or chunk
    first = chunk.index(bare)
    return first, first + min(len(bare), LONGEST)


def marked(sentence: str, spans: list[Span]) -> str:
    """Return a sentence as HTML, with the spans marked; a long one is cut at spaces."""
    start, end = 0, len(sentence)
    if end > LONGEST:
        first = spans[0][0]
        start = 0 if first <= BEFORE else max(sentence.rfind(" ", 0, first - BEFORE) + 1, first - 2 * BEFORE)
        end = min(end, max(start + LONGEST, spans[0][1]))
        if end < len(sentence):
            end = max(sentence.rfind(" ", spans[0][1], end), spans[0][1])
    html, done = "…" if start else "", start
    for first, last in spans:
        if last > end:
            break
        html += f"{escape(sentence[done:first])}<mark>{escape(sentence[first:last])}</mark>"
        done = last
    return html + escape(sentence[done:end]) + ("…" if end < len(sentence) else "")
