"""What a search finds: by the index, but for what is due, whose texts are read and compared themselves."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from typing import Any

from django.db import connection
from django.db.models import F, Q

from folio.api.folding import forgivable, is_near, words_of_query
from folio.api.texts import MAX_SEARCH_WORDS

from ..models import Portfolio
from . import content, ranking, vocabulary, walking
from .due import Due, due_now
from .statements import Relevance, in_order, published_with, raw
from .stores import (
    EXCERPT,
    SQL,
    Whole,
    among,
    exists,
    listed,
    run,
    store,
)
from .walking import Named, walked
from .words import TOLD

FORGIVEN = 5  # letters of a word from which on one error is forgiven
MANY = 2_000  # due portfolios from which on one thread at a time compares them
turn = Lock()


@dataclass(frozen=True)
class Word:
    """A word of a query, and the beginnings of words that it stands for: itself, or what it may have meant."""

    text: str
    alternatives: tuple[str, ...]
    is_forgiven: bool = False
    meanings: tuple[Whole, ...] = ()  # all the words of the index that begin so, where these are known and few

    def matches(self, word: str) -> bool:
        return word.startswith(self.alternatives) or (
            self.is_forgiven and is_near(self.text, word) and bool(forgivable((word,)))
        )

    def weight(self, words: dict[str, int]) -> int:
        """Return the weight of its best match among words; 0 without one."""
        return max((weight for word, weight in words.items() if self.matches(word)), default=0)


@dataclass(frozen=True)
class Found:
    """What a visitors' search finds, to be combined with other conditions on portfolios.

        found = find(text)
        rows = Portfolio.objects.only_published().filter(found.condition)
        rows.order_by(found.relevance.desc(), *Portfolio._meta.ordering)
        found.highlights(ids)

    It was read once, in a bounded number of queries; `condition` and `relevance` ask nothing but within the query that
    they are part of.
    """

    words: tuple[Word, ...]
    due: dict[int, int]  # the scores of those that match by their texts
    stale: Due  # whose entries in the index don't count

    @cached_property
    def ids(self) -> SQL:
        if not self.words:
            return listed([])
        return but_for(published_with(alternatives(self.words)), self.stale, list(self.due))

    @property
    def condition(self) -> Q:
        return Q(pk__in=raw(self.ids))

    @property
    def relevance(self) -> Any:
        """An expression: the score, a whole number."""
        sql, parameters = self.score()
        return Relevance(F("pk"), sql=sql, parameters=parameters)

    def score(self, present: Collection[int] = TOLD, *, few: bool = False) -> SQL:
        """Return the same as SQL of `{pk}`; `present` are the weights of TOLD that may matter, `few` are scored so."""
        if not self.words:
            return "0 * {pk}", []  # PostgreSQL takes a plain 0 for a column's place
        relevance = store().looked_at if few else store().relevance
        sql, parameters = relevance(alternatives(self.words), present)
        if self.due:
            cases, before = "", []
            for score, ids in grouped(self.due):
                condition, parameter = among(ids)
                cases += f" WHEN {{pk}} {condition} THEN {score}"
                before.append(parameter)
            sql, parameters = f"CASE{cases} ELSE {sql} END", [*before, *parameters]
        return sql, parameters

    @cached_property
    def named(self) -> tuple[Named, list[int]]:
        """What it finds, or of more than FEW so many and one; and the weights of TOLD that matter there."""
        if not self.words or self.stale:
            named, _ = Named.of(self.ids)
            return named, [*TOLD]
        named, [sum_of_powers] = Named.of(self.ids, store().fields(alternatives(self.words)))
        return named, [weight for weight in TOLD if sum_of_powers & 2**weight]

    @cached_property
    def few(self) -> int | None:
        """How many portfolios it finds; None where more than FEW."""
        named, _ = self.named
        return named.total if named.total <= walking.FEW else None

    @property
    def is_ranked(self) -> bool:
        """Whether a part of what it finds is told without a look at all: of a few, and of one word by the index."""
        return self.few is not None or self.is_one_word

    @property
    def is_one_word(self) -> bool:
        return len(self.words) == 1 and not self.stale

    @cached_property
    def total(self) -> int:
        """How many portfolios it finds."""
        return ranking.count_of(self.ids) if self.few is None else self.few

    def part(self, start: int, stop: int) -> list[int]:
        """Return a part of the ids of what it finds, the best first, then in the default order; see `is_ranked`."""
        named, present = self.named
        if self.is_one_word and (present or self.few is None):
            [word] = alternatives(self.words)
            return ranking.part_of(word, {*present, EXCERPT}, named.last, start, stop)
        found = None if present else walked(named, stop, is_published=True)
        if found is None:
            score = self.score(present, few=named.total <= walking.LOOKED_AT)
            sql, parameters = in_order(connection.vendor).of(named.sql, score)
            found = [pk for (pk,) in run(f"{sql} LIMIT %s", [*parameters, stop])]
        return found[start:stop]

    def highlights(self, ids: Sequence[int], snapshot: int | None = None) -> dict[int, str | None]:
        """Return for each portfolio the sentence that shows why it was found, as HTML that may stand in any page.

        What matches stands in `<mark>`; all else is escaped. None where only tags or the employer's name match. In one
        query; in none for texts that were read in the snapshot.
        """
        from .highlighting import highlight, sentences_of

        return {pk: highlight(texts, self.words) for pk, texts in sentences_of(ids, snapshot).items()}


def find(text: str, *, in_order: bool = False) -> Found:
    """Return what visitors find by a text, of which the first MAX_SEARCH_WORDS words count.

    A word that alone finds nothing that is published is taken for one that is like it. With `in_order`, the ids are
    going to be counted and asked for in order; so they also tell whether there are any.
    """
    asked = words_of_query(text)[:MAX_SEARCH_WORDS]
    stale = due_now()
    # After that: what is folded meanwhile is compared by its texts, and what was before has its words known by now.
    meanings = vocabulary.meanings(asked)
    plain = [Word(word, (word,), meanings=meanings.get(word, ())) for word in asked]
    if in_order and not stale:
        found = Found(tuple(plain), {}, stale)
        if found.few != 0:
            return found
    texts = Matching(stale.ids) if stale else None
    words = tuple(forgiven(plain, stale, texts))
    return Found(words, texts.scores(words) if texts else {}, stale)


class Matching:
    """Portfolios that are due, compared by their texts; which of them are published is asked once."""

    def __init__(self, ids: list[int]) -> None:
        self.ids = ids
        published = Portfolio.objects.only_published().filter(pk__in=raw(listed(ids))).order_by()
        self.published = sorted(published.values_list("pk", flat=True))
        self.kept: list[tuple[int, dict[str, int]]] | None = None

    def words(self) -> Iterator[tuple[int, dict[str, int]]]:
        """Yield the published ones' words; a few are remembered, many are read anew each time."""
        if len(self.published) > content.BATCH:
            return ((texts.pk, texts.words()) for texts in content.read_all(self.published))
        if self.kept is None:
            self.kept = [(texts.pk, texts.words()) for texts in content.read_all(self.published)]
        return iter(self.kept)

    def found(self, words: Sequence[Word]) -> set[Word]:
        """Return the words that find one of them."""
        with one_of_many(self.ids):
            left = set(words)
            for _, theirs in self.words():
                left -= {word for word in left if word.weight(theirs)}
                if not left:
                    break
            return set(words) - left

    def scores(self, words: Sequence[Word]) -> dict[int, int]:
        """Return the scores of those that all of the words find."""
        if not words:
            return {}
        scores: dict[int, int] = {}
        with one_of_many(self.ids):
            for pk, theirs in self.words():
                weights = [word.weight(theirs) for word in words]
                if all(weights):
                    scores[pk] = sum(weights)
        return scores


class one_of_many:
    """A turn for whoever compares so many texts that several at once would keep all other threads from theirs."""

    def __init__(self, ids: Sequence[int]) -> None:
        self.waits = len(ids) > MANY

    def __enter__(self) -> None:
        if self.waits:
            turn.acquire()

    def __exit__(self, *exception: object) -> None:
        if self.waits:
            turn.release()


def forgiven(words: list[Word], stale: Due, due: Matching | None) -> Iterator[Word]:
    """Yield the words, with their errors forgiven where they alone find nothing that is published."""
    long = {word for word in words if len(word.text) >= FORGIVEN and forgivable([word.text])}
    published = Published(stale)
    # Where all of them find one together, each finds it alone.
    lost = set() if not long or (len(words) > 1 and published.have([words])[0]) else long
    if lost:
        each = sorted(lost, key=words.index)
        lost = {word for word, has in zip(each, published.have([[word] for word in each]), strict=True) if not has}
    if lost and due is not None:
        lost -= due.found(list(lost))
    meant = vocabulary.like([word.text for word in lost]) if lost else {}
    for word in words:
        yield Word(word.text, tuple(meant[word.text]), True) if word in lost else word


class Published:
    """Whether anything is published of what the index finds."""

    def __init__(self, stale: Due) -> None:
        self.stale = stale

    def have(self, searches: Sequence[Sequence[Word]]) -> Sequence[bool]:
        """Tell for each of some searches, each for all of its words, whether it finds anything; in one query."""
        if self.stale.is_everything:
            return [False] * len(searches)
        selects: list[str] = []
        parameters: list[Any] = []
        for words in searches:
            sql, own = exists(but_for(published_with(alternatives(words)), self.stale))
            selects.append(sql)
            parameters += own
        [answers] = run(f"SELECT {', '.join(selects)}", parameters)
        return [bool(answer) for answer in answers]


def alternatives(words: Sequence[Word]) -> list[tuple[str, ...]]:
    """Return what the index is asked for; a word that stands for nothing known is asked for as it is."""
    return [word.meanings or word.alternatives or (word.text,) for word in words]


def but_for(index: SQL, stale: Due, others: Sequence[int] = ()) -> SQL:
    """Return the SELECT of the ids that the index finds but for the stale ones, and of others."""
    if stale.is_everything:
        return listed(others)
    sql, parameters = index
    if stale:
        without, own = listed(stale.ids)
        sql, parameters = f"SELECT * FROM ({sql}) AS found EXCEPT {without}", [*parameters, *own]
        if others:
            more, own = listed(others)
            sql, parameters = f"SELECT * FROM ({sql}) AS found UNION ALL {more}", [*parameters, *own]
    return sql, parameters


def grouped(scores: dict[int, int]) -> list[tuple[int, list[int]]]:
    groups: dict[int, list[int]] = defaultdict(list)
    for pk, score in scores.items():
        groups[score].append(pk)
    return sorted(groups.items())
