"""The search for words, as both indexes have it: which entries have them, and how much each of these counts."""

from collections.abc import Collection, Sequence
from typing import ClassVar

from .stores import BODY, EXCERPT, NAMES, SQL, TITLE, WEIGHTS, Alternatives, run

NARROWING = 2  # other words that the ids of one word in one field are narrowed by, the longest first


class WordIndex:
    """Asks an index by queries in its own language."""

    AND: ClassVar[str]
    OR: ClassVar[str]
    is_timed: ClassVar[str]  # the query for what is published at a moment, or until one

    def having(self, query: str) -> SQL:
        """Return the SELECT of the ids, called `id`, of the entries that a query finds."""
        raise NotImplementedError

    def some(self, alternatives: Alternatives, weights: Collection[int] = WEIGHTS) -> str:
        """Return the query for a word with one of these beginnings, in the fields with these weights."""
        raise NotImplementedError

    def every(self, words: Sequence[Alternatives], weights: Collection[int] = WEIGHTS) -> str:
        return self.AND.join(self.some(word, weights) for word in words)

    def with_words(self, words: Sequence[Alternatives], *, timed: bool = False) -> SQL:
        return self.having(self.AND.join([self.every(words), *([self.is_timed] if timed else [])]))

    def relevance(self, words: Sequence[Alternatives], count: int | None) -> SQL:
        """Return a sum of what each word counts for; the ids of each field are collected once for the whole query.

        Few entries have rare words in their titles, tags or employer's name, and often all have them in the excerpt:
        where that is so, nothing is collected.
        """
        weights = [weight for weight in WEIGHTS if weight != BODY]
        if count is not None:
            best = self.OR.join(self.some(word, (TITLE, NAMES)) for word in words)
            in_best, in_excerpt, in_all = self.counts(
                (f"({best}){self.AND}{self.every(words)}", best),
                (self.every(words, (EXCERPT,)), None),
                (self.every(words), self.is_timed),
            )
            # Of what is published at a moment, some may be counted here that is not found.
            if not in_best and in_excerpt == (in_all or count):
                return f"{EXCERPT * len(words)} + 0", []  # a number by itself would be a column's place
            if not in_best:
                weights = [EXCERPT]
        terms: list[str] = []
        parameters: list[str] = []
        # What is scored has all words, so that any of the others narrow; all of them would be read over and over.
        narrowing = sorted(words, key=lambda word: min(map(len, word)), reverse=True)
        for word in words:
            cases = ""
            others = [self.some(each) for each in narrowing if each is not word][:NARROWING]
            for weight in weights:
                sql, own = self.having(self.AND.join([self.some(word, (weight,)), *others]))
                cases += f" WHEN {{pk}} IN ({sql}) THEN {weight}"
                parameters += own
            terms.append(f"CASE{cases} ELSE {BODY} END")
        return " + ".join(terms), parameters

    def any_timed(self) -> SQL:
        """Return the condition that anything at all is published at a moment, or until one."""
        sql, parameters = self.having(self.is_timed)
        return f"EXISTS ({sql})", parameters

    def counts(self, *queries: tuple[str, str | None]) -> Sequence[int]:
        """Return how many entries each query finds; beside it may stand a shorter one, without which it finds none."""
        terms: list[str] = []
        parameters: list[str] = []
        for query, needed in queries:
            select, own = self.having(query)
            term = f"(SELECT COUNT(*) FROM ({select}) AS found)"
            if needed is not None:
                condition, theirs = self.having(needed)
                term, own = f"CASE WHEN EXISTS ({condition}) THEN {term} ELSE 0 END", [*theirs, *own]
            terms.append(term)
            parameters += own
        [found] = run(f"SELECT {', '.join(terms)}", parameters)
        counted: Sequence[int] = found
        return counted
