"""What portfolios are found by: their texts as they are stored now, and as they are folded for the index."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from folio.api.folding import fold, words_of_text

from .stores import among

# The version of what is made of texts: with another one, everything is folded anew.
VERSION = 1

BATCH = 500  # portfolios whose texts are held in memory at once
LONGEST_TEXT = 200_000  # characters; of a longer description or meta text, the first ones are searched
MOST_BYTES = 800_000  # of all words of a portfolio: PostgreSQL holds up to a megabyte of them
WORD_COST = 8  # bytes that each word takes beside its own

TITLE, NAMES, EXCERPT, BODY = WEIGHTS = (4, 3, 2, 1)  # of the fields, in the score

PORTFOLIOS = """
    SELECT p.id, p.title, p.slug, p.excerpt, p.year, p.description, e.name
    FROM portfolios_portfolio p LEFT JOIN portfolios_employer e ON e.id = p.employer_id WHERE p.id {among}
"""
TAGS = """
    SELECT x.portfolio_id, t.name FROM portfolios_portfoliotag x JOIN portfolios_tag t ON t.id = x.tag_id
    WHERE x.portfolio_id {among} ORDER BY x.portfolio_id, x.place, x.id
"""
META = """
    SELECT portfolio_id, value_text FROM portfolios_metaentry
    WHERE portfolio_id {among} AND value_text <> '' AND key NOT LIKE '\\_%%' ESCAPE '\\'
    ORDER BY portfolio_id, place, id
"""


@dataclass
class Texts:
    """A portfolio's texts that can be found; those of meta are the public ones."""

    pk: int
    title: str
    slug: str
    excerpt: str
    year: int | None
    description: str | None
    employer: str | None
    tags: list[str] = field(default_factory=list)
    meta: list[str] = field(default_factory=list)

    def parts(self) -> str:
        """Return what the managing search looks into, folded, each text on a line of its own."""
        own = (self.title, self.slug, self.excerpt, str(self.year or ""), self.employer or "")
        return "\n".join(map(fold, own))

    def fields(self) -> Iterator[tuple[int, list[str]]]:
        """Yield what the visitors' search looks into, with the weight of each."""
        yield TITLE, [self.title]
        yield NAMES, [*self.tags, self.employer or ""]
        yield EXCERPT, [self.excerpt]
        yield BODY, [plain(self.description or "")[:LONGEST_TEXT], *(text[:LONGEST_TEXT] for text in self.meta)]

    def words(self) -> dict[str, int]:
        """Return the words by whose beginnings visitors find it, each with the weight of its best field."""
        words: dict[str, int] = {}
        room = MOST_BYTES
        for weight, texts in self.fields():
            for text in texts:
                for word in words_of_text(text):
                    if word not in words:
                        room -= WORD_COST + len(word.encode())
                        if room < 0:
                            return words
                        words[word] = weight
        return words


def plain(markdown: str) -> str:
    """Return a description's text without its marks."""
    return markdown


def read(ids: Collection[int]) -> list[Texts]:
    """Return the texts of those of the portfolios that exist, in three queries."""
    if not ids:
        return []
    found = {row[0]: Texts(*row) for row in rows(PORTFOLIOS, ids)}
    for sql, name in ((TAGS, "tags"), (META, "meta")):
        several: dict[int, list[str]] = defaultdict(list)
        for pk, text in rows(sql, list(found)):
            several[pk].append(text)
        for pk, values in several.items():
            setattr(found[pk], name, values)
    return list(found.values())


def read_all(ids: Sequence[int]) -> Iterator[Texts]:
    """Yield the texts of any number of portfolios, a bounded number at a time."""
    for start in range(0, len(ids), BATCH):
        yield from read(ids[start : start + BATCH])


def rows(sql: str, ids: Collection[int]) -> list[Any]:
    condition, parameter = among(ids)
    with connection.cursor() as cursor:
        cursor.execute(sql.format(among=condition), [parameter])
        found: list[Any] = cursor.fetchall()
    return found
