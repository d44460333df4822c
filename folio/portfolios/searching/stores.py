"""The index, as the rest of this package speaks to it; `sqlite.py` and `postgresql.py` are its two forms.

Its tables are no models: nothing is read from them but ids, and `dumpdata` has no use for what can be made anew. No
foreign key leads to the portfolios, so that no order of deletions matters: an entry whose portfolio is gone finds none.
"""

import json
from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple, Protocol

from django.db import connection

SQL = tuple[str, list[Any]]  # with its parameters
Alternatives = Sequence[str]  # beginnings of words, or whole ones, of which one must be there


class Whole(str):
    """A word that must be there as it is, not as the beginning of another one."""

    __slots__ = ()


DUE = "portfolios_search_due"
VOCABULARY = "portfolios_search_vocabulary"
STATE = "portfolios_search_state"

TITLE, NAMES, EXCERPT, BODY = WEIGHTS = (4, 3, 2, 1)  # of the fields, in the score
LAST = chr(0x10FFFF)  # no word has it, and all words come before it
TIMED = "\x9ftimed"  # stands among the words of what is published at a moment or until one; folding leaves no such sign

# Tables whose changes make portfolios due: the column of DUE, its value in a row, and the columns that matter.
NOTED = {
    "portfolios_portfolio": (
        "portfolio_id",
        "id",
        (
            *("id", "title", "slug", "excerpt", "description", "completed_at", "employer_id"),
            *("is_active", "publish_at", "unpublish_at"),
        ),
    ),
    "portfolios_portfoliotag": ("portfolio_id", "portfolio_id", ("portfolio_id", "tag_id")),
    "portfolios_metaentry": ("portfolio_id", "portfolio_id", ("portfolio_id", "key", "value_text")),
    "portfolios_tag": ("tag_id", "id", ("id", "name")),
    "portfolios_employer": ("employer_id", "id", ("id", "name")),
}


class Entry(NamedTuple):
    """What the index holds of a portfolio."""

    pk: int
    parts: str
    words: dict[str, int]  # with their weights
    is_timed: bool = False  # it is published from a moment on, or until one


class Store(Protocol):
    """An index, of the connection's own database; what it does is part of the connection's transaction."""

    def make(self) -> None:
        """Make the tables that are missing, and what finds them quickly."""

    def remove(self) -> None:
        """Remove the tables and the triggers."""

    def missing_triggers(self) -> bool:
        """Tell whether a trigger is missing, or is not what it should be."""

    def make_triggers(self) -> None:
        """Make all triggers anew."""

    def lacks(self) -> str | None:
        """Return what the database lacks for quick searches, as a sentence."""

    def take_turn(self) -> bool:
        """Keep others from folding until the transaction ends; tell whether nobody else is at it."""

    def put(self, entries: Sequence[Entry]) -> None:
        """Take up entries, or replace them."""

    def learn(self, words: Collection[str]) -> None:
        """Take words up into the vocabulary, by which errors are forgiven."""

    def forget(self, ids: Collection[int]) -> None:
        """Remove the entries of portfolios that are gone."""

    def clear(self) -> None:
        """Forget everything."""

    def settle(self) -> None:
        """Do what makes searches quicker after many changes."""

    def with_parts(self, words: Sequence[str]) -> SQL:
        """Return the SELECT of the ids whose texts have each of the words in them, folded, anywhere."""

    def with_words(self, words: Sequence[Alternatives], *, timed: bool = False) -> SQL:
        """Return the SELECT of the ids that have, for each word, a word that begins with one of its alternatives.

        With `timed`, of those alone that are published at a moment or until one.
        """

    def with_best(self, word: Alternatives, weight: int) -> SQL:
        """Return the SELECT of the ids that have a word whose best field has that weight."""

    def any_timed(self) -> SQL:
        """Return the condition that anything at all is published at a moment, or until one."""

    def fields(self, words: Sequence[Alternatives]) -> SQL:
        """Return a number as SQL: the sum of 2 to the power of each weight of TOLD that a word counts for anywhere.

        That is in an entry with all of the words.
        """

    def relevance(self, words: Sequence[Alternatives], present: Collection[int] = ...) -> SQL:
        """Return the score of an entry that has all of the words, as SQL in which `{pk}` stands for its id.

        `present` are those of TOLD that may matter.
        """

    def looked_at(self, words: Sequence[Alternatives], present: Collection[int] = ...) -> SQL:
        """Return the same score, of which each costs a look at the entry, and nothing is collected before."""


def store() -> Store:
    from . import postgresql, sqlite  # they need what stands here

    return postgresql.store if connection.vendor == "postgresql" else sqlite.store


def among(values: Collection[Any]) -> tuple[str, Any]:
    """Return a condition for what is one of any number of values, as SQL after the column, and its parameter."""
    return one_of_named(), list(values) if connection.vendor == "postgresql" else json.dumps(list(values))


def one_of_named() -> str:
    """Return the condition for what is one of the ids that a SELECT of `gathered` names, by its parameter."""
    return "= ANY(%s::bigint[])" if connection.vendor == "postgresql" else "IN (SELECT value FROM json_each(%s))"


def listed(values: Collection[Any], kind: str = "bigint") -> SQL:
    """Return the SELECT of any number of values, in a column called `value`."""
    if connection.vendor == "postgresql":
        return f"SELECT value FROM unnest(%s::{kind}[]) AS each (value)", [list(values)]
    return "SELECT value FROM json_each(%s)", [json.dumps(list(values))]


def exists(sql: SQL) -> SQL:
    """Return the condition that an index finds anything.

    For the first row alone PostgreSQL would read the table, expecting to come across one soon.
    """
    text, parameters = sql
    if connection.vendor == "postgresql":
        text = f"WITH found AS MATERIALIZED ({text}) SELECT 1 FROM found"
    return f"EXISTS ({text})", parameters


def gathered(sql: SQL, most: int, *more: SQL) -> tuple[int, SQL, list[Any]]:
    """Return how many ids a SELECT finds, the SELECT of these as `listed` names them, and more values, in one query.

    Of too many, they are `most` and one. The database puts them together, and gets them back, as one text: to fetch
    each as a row takes twice as long.
    """
    together = "array_agg(id)::text" if connection.vendor == "postgresql" else "json_group_array(id)"
    text, parameters = sql
    selected = ", ".join(["COUNT(*)", together, *(f"({value})" for value, _ in more)])
    [(count, ids, *values)] = run(
        f"WITH found (id) AS (SELECT * FROM ({text}) AS every LIMIT {most + 1}) SELECT {selected} FROM found",
        [*parameters, *(each for _, own in more for each in own)],
    )
    head, _ = listed([])
    return int(count), (head, [ids or "{}"]), values


def values_of(named: SQL) -> list[int]:
    """Return the ids that such a SELECT names, on SQLite."""
    [text] = named[1]
    found: list[int] = json.loads(text)
    return found


def run(sql: str, parameters: Iterable[Any] | None = None) -> list[Any]:
    """Run a statement and return its rows."""
    with connection.cursor() as cursor:
        cursor.execute(sql, None if parameters is None else list(parameters))
        return cursor.fetchall() if cursor.description else []


def run_many(sql: str, parameters: Sequence[Sequence[Any]]) -> None:
    if parameters:
        with connection.cursor() as cursor:
            cursor.executemany(sql, parameters)
