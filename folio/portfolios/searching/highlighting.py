"""The sentence that shows why a search found a portfolio."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from html import escape
from sys import getsizeof
from typing import TYPE_CHECKING

from folio import snapshots
from folio.api.documents import KEY_SIZE
from folio.api.folding import AROUND, fold, is_unspaced, letters, words_of_text

from ..markdown import plain
from .content import LONGEST_TEXT, Texts, read

if TYPE_CHECKING:
    from .finding import Word

SENTENCE = re.compile(r"(?<=[.!?…؟۔])\s+|(?<=[。！？])\s*|\n+")
LONGEST = 300  # characters; of a longer sentence, what stands around the first match is shown
BEFORE = 60  # characters of it that are shown before the match
CHUNK = re.compile(r"\S+")
ENDS = ".!?…؟۔。！？\n"  # of sentences
SENTENCE_SIZE = 200  # bytes that a sentence takes beside its letters, roughly
Span = tuple[int, int]
Sentence = tuple[str, str]  # as it is shown, and folded


class Sentences:
    """The sentences of a portfolio's texts: those of a text are found when they are first looked at, and kept."""

    def __init__(self, texts: Texts) -> None:
        self.texts = (texts.excerpt, texts.description or "", *texts.meta, texts.title)
        self.found: list[list[Sentence] | None] = [None] * len(self.texts)

    def __iter__(self) -> Iterator[Sentence]:
        for place, text in enumerate(self.texts):
            found = self.found[place]
            if found is None:
                found = self.found[place] = list(sentences(plain(text) if place == 1 else text))
            yield from found

    @property
    def size(self) -> int:
        """About what it takes at the most, in bytes."""
        count = sum(text.count(end) for text in self.texts for end in ENDS) + len(self.texts)
        return 3 * sum(map(getsizeof, self.texts)) + SENTENCE_SIZE * count


def sentences_of(ids: Sequence[int], snapshot: int | None) -> dict[int, Sentences]:
    """Return the sentences of those of the portfolios that exist; what was not read in this snapshot, in one query."""
    snapshot = snapshots.usable(snapshot)
    kept: dict[tuple[type, int], Sentences] = {}
    if snapshot is not None:
        kept = snapshots.documents.get_many(snapshot, [(Sentences, pk) for pk in ids])
    found = {pk: each for (_, pk), each in kept.items()}
    for texts in read([pk for pk in ids if pk not in found]):
        found[texts.pk] = each = Sentences(texts)
        if snapshot is not None:
            snapshots.documents.put(snapshot, (Sentences, texts.pk), each, each.size + KEY_SIZE)
    return found


def highlight(texts: Iterable[Sentence], words: Sequence["Word"]) -> str | None:
    """Return the sentence of a portfolio's texts that most of the words match, as HTML; None where no text does.

    Of several, the first one: in the excerpt, the description, the meta texts, and last the title, which is shown
    anyway.
    """
    best: tuple[int, str, list[Span]] | None = None
    may_match = Glance(words)
    for sentence, folded in texts:
        if not may_match(folded):
            continue
        spans, count = matches(sentence, folded, words, may_match)
        if count > (best[0] if best else 0):
            best = count, sentence, spans
            if count == len(words):
                break
    return marked(*best[1:]) if best else None


class Glance:
    """Tells whether a folded text may match, without taking it to its words: most do not."""

    def __init__(self, words: Collection["Word"]) -> None:
        self.beginnings = [each for word in words for each in word.alternatives]
        self.is_open = any(word.is_forgiven for word in words)  # what is due may have words that nobody knows yet

    def __call__(self, folded: str) -> bool:
        for each in self.beginnings:  # it is asked of thousands of texts for an answer: `any` takes twice as long
            if each in folded:
                return True
        return self.is_open

    def chunks(self, folded: str) -> list[Span]:
        """Return where what stands between two spaces may match, in a text in which all white space is a space."""
        found: set[Span] = set()
        for each in self.beginnings:
            place = folded.find(each)
            while place >= 0:
                end = folded.find(" ", place)
                end = len(folded) if end < 0 else end
                found.add((folded.rfind(" ", 0, place) + 1, end))
                place = folded.find(each, end)
        return sorted(found)


def sentences(text: str) -> Iterator[Sentence]:
    for sentence in SENTENCE.split(text[:LONGEST_TEXT]):
        stripped = sentence.strip()
        if stripped:
            yield stripped, fold(stripped)


def matches(sentence: str, folded: str, words: Sequence["Word"], may_match: Glance) -> tuple[list[Span], int]:
    """Return where a sentence matches, and how many of the words do so."""
    spans: list[Span] = []
    matched: set[str] = set()
    # Of ASCII, folding leaves each letter in its place or takes it away.
    if len(folded) == len(sentence) and sentence.isascii() and not may_match.is_open:
        chunks = may_match.chunks(folded)
    else:
        chunks = [chunk.span() for chunk in CHUNK.finditer(sentence) if may_match(fold(chunk[0]))]
    for start, end in chunks:
        chunk = sentence[start:end]
        found = matching(chunk, words)
        if found:
            matched.update(word.text for word in found)
            spans += ((start + first, start + last) for first, last in spans_of(chunk, found))
    return spans, len(matched)


def matching(text: str, words: Iterable["Word"]) -> list["Word"]:
    theirs = list(words_of_text(text))
    return [word for word in words if any(map(word.matches, theirs))]


def spans_of(chunk: str, words: Sequence["Word"]) -> list[Span]:
    """Return what of a chunk is marked: the parts that match, or all of it but what stands around it in a sentence."""
    if chunk.isascii() and chunk.isalnum():  # one word, as most are
        return [(0, min(len(chunk), LONGEST))]
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
