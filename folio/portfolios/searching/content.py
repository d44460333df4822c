"""What portfolios are found by: their texts as they are stored now, and as they are folded for the index."""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from folio.api.folding import fold, words_of_text

from .. import markdown
from .stores import BODY, EXCERPT, NAMES, TITLE, among, run

# The version of what is made of texts: with another one, everything is folded anew.
VERSION = 3

BATCH = 500  # portfolios whose texts are held in memory at once
LONGEST_TEXT = 200_000  # characters; of a longer description or meta text, the first ones are searched
MOST_BYTES = 800_000  # of all words of a portfolio: PostgreSQL holds up to a megabyte of them
WORD_COST = 8  # bytes that each word takes beside its own

# The rows of all three kinds in one statement: each costs a round trip, and most writes ask for one portfolio.
TEXTS = """
    SELECT 0, 0, p.id, p.title, p.slug, p.excerpt, p.year, p.description, e.name, p.is_active,
        p.publish_at IS NOT NULL OR p.unpublish_at IS NOT NULL
    FROM portfolios_portfolio p LEFT JOIN portfolios_employer e ON e.id = p.employer_id WHERE p.id {among}
    UNION ALL
    SELECT 1, x.place, x.portfolio_id, t.name, NULL, NULL, NULL, NULL, NULL, NULL, NULL
    FROM portfolios_portfoliotag x JOIN portfolios_tag t ON t.id = x.tag_id WHERE x.portfolio_id {among}
    UNION ALL
    SELECT 2, place, portfolio_id, value_text, NULL, NULL, NULL, NULL, NULL, NULL, NULL
    FROM portfolios_metaentry WHERE portfolio_id {among} AND value_text <> '' AND SUBSTR(key, 1, 1) <> '_'
    ORDER BY 1, 3, 2
"""


# What may make text of a description into something else. Other marks stand around words, and are no part of them.
MARKS = re.compile(r"[*_`\[<&\\~|]")


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
    is_active: bool  # visitors may read it, but where it
    is_timed: bool  # is published at a moment, or until one
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


def plain(description: str) -> str:
    """Return a description's text without its marks, of which most descriptions have none: looking takes no time."""
    return markdown.plain(description) if MARKS.search(description) else description


def read(ids: Collection[int]) -> list[Texts]:
    """Return the texts of those of the portfolios that exist, in one query."""
    if not ids:
        return []
    condition, parameter = among(ids)
    found: dict[int, Texts] = {}
    for kind, _, pk, text, *others in run(TEXTS.format(among=condition), [parameter] * 3):
        if kind == 0:
            found[pk] = Texts(pk, text, *others)
        elif pk in found:  # SQLite keeps rows of portfolios that are gone, for writers that it doesn't check
            (found[pk].tags if kind == 1 else found[pk].meta).append(text)
    return list(found.values())


def read_all(ids: Sequence[int]) -> Iterator[Texts]:
    """Yield the texts of any number of portfolios, a bounded number at a time."""
    for start in range(0, len(ids), BATCH):
        yield from read(ids[start : start + BATCH])
