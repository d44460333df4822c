"""The search for words, as both indexes have it: which entries have them, and how much each of these counts."""

from collections.abc import Callable, Collection, Sequence
from typing import Any, ClassVar

from .stores import BODY, EXCERPT, NAMES, SQL, TITLE, WEIGHTS, Alternatives, exists

TOLD = (TITLE, NAMES, BODY)  # weights of which it is looked up whether they matter; an excerpt is left
NARROWING = 2  # other words that the ids of one word in one field are narrowed by, the longest first


class WordIndex:
    """Asks an index by queries in its own language."""

    AND: ClassVar[str]
    OR: ClassVar[str]
    BUT: ClassVar[str]
    is_timed: ClassVar[str]  # the query for what is published at a moment, or until one
    entries: ClassVar[str]  # the table
    key: ClassVar[str]  # its column of ids

    def having(self, query: str) -> SQL:
        """Return the SELECT of the ids, called `id`, of the entries that a query finds."""
        raise NotImplementedError

    def some(self, alternatives: Alternatives, weights: Collection[int] = WEIGHTS) -> str:
        """Return the query for one of these words or beginnings, in the fields with these weights."""
        raise NotImplementedError

    def has(self, alternatives: Alternatives, weight: int) -> SQL:
        """Return the condition that an entry has one of these words or beginnings in the field with the weight."""
        raise NotImplementedError

    def every(self, words: Sequence[Alternatives], weights: Collection[int] = WEIGHTS) -> str:
        return self.AND.join(self.some(word, weights) for word in words)

    def any_of(self, words: Sequence[Alternatives], weights: Collection[int]) -> str:
        return self.OR.join(self.some(word, weights) for word in words)

    def with_words(self, words: Sequence[Alternatives], *, timed: bool = False) -> SQL:
        return self.having(self.AND.join([self.every(words), *([self.is_timed] if timed else [])]))

    def fields(self, words: Sequence[Alternatives]) -> SQL:
        """Return a number as SQL: the sum of 2 to the power of each weight of TOLD that a word counts for anywhere."""
        cases: list[str] = []
        parameters: list[Any] = []
        for weight in TOLD:
            query = self.any_of(words, (weight,))
            if len(words) > 1:
                query = f"({query}){self.AND}{self.every(words)}"
            condition, own = exists(self.having(query))
            cases.append(f"CASE WHEN {condition} THEN {2**weight} ELSE 0 END")
            parameters += own
        # Rare words are often in excerpts alone, which is found out at once. SQLite looks at both sides of an AND.
        condition, own = exists(self.having(self.any_of(words, TOLD)))
        return f"CASE WHEN {condition} THEN {' + '.join(cases)} ELSE 0 END", [*own, *parameters]

    def relevance(self, words: Sequence[Alternatives], present: Collection[int] = TOLD) -> SQL:
        """Return a sum of what each word counts for; the ids of each field are collected once for the whole query.

        Few entries have rare words in their titles, tags or employer's name, and often all have them in the excerpt:
        where that is so, nothing is collected.
        """
        if not present:
            return f"{EXCERPT * len(words)} + 0", []  # a number by itself would be a column's place
        # What is scored has all words, so that any of the others narrow; all of them would be read over and over.
        narrowing = sorted(words, key=lambda word: min(map(len, word)), reverse=True)

        def condition(word: Alternatives, weight: int) -> SQL:
            others = [self.some(each) for each in narrowing if each is not word][:NARROWING]
            sql, own = self.having(self.AND.join([self.some(word, (weight,)), *others]))
            return f"{{pk}} IN ({sql})", own

        return sum_of(words, present, condition)

    def looked_at(self, words: Sequence[Alternatives], present: Collection[int] = TOLD) -> SQL:
        """Return the same sum, found out by a look at the entry of each: sooner for a few, as what they have is there.

        For many it takes longer than to collect who has a word in a field, however common that is.
        """
        if not present:
            return self.relevance(words, present)
        sql, parameters = sum_of(words, present, self.has)
        return f"(SELECT {sql} FROM {self.entries} WHERE {self.key} = {{pk}})", parameters

    def with_best(self, word: Alternatives, weight: int) -> SQL:
        better = [each for each in WEIGHTS if each > weight]
        query = self.some(word, (weight,))
        return self.having(f"{query}{self.BUT}{self.some(word, better)}" if better else query)

    def any_timed(self) -> SQL:
        """Return the condition that anything at all is published at a moment, or until one."""
        return exists(self.having(self.is_timed))


def sum_of(
    words: Sequence[Alternatives], present: Collection[int], condition: Callable[[Alternatives, int], SQL]
) -> SQL:
    """Return the sum of the highest weights for which each word meets the condition; BODY where it meets none."""
    weights = [weight for weight in (TITLE, NAMES, EXCERPT) if weight == EXCERPT or weight in present]
    terms: list[str] = []
    parameters: list[Any] = []
    for word in words:
        cases = ""
        for weight in weights:
            sql, own = condition(word, weight)
            cases += f" WHEN {sql} THEN {weight}"
            parameters += own
        terms.append(f"CASE{cases} ELSE {BODY} END")
    return " + ".join(terms), parameters
