"""What a request asks of the database: counted on each thread's connection, and told where it took long."""

import re
from collections.abc import Callable
from time import perf_counter
from typing import Any, NamedTuple

from folio.current import Statements, current

MOST = 5  # statements that are told of
LONGEST = 1000  # characters of one
TEXT = re.compile(r"'(?:[^']|'')*'|\$(\w*)\$.*?\$\1\$", re.DOTALL)
PLACES = re.compile(r"%s(?:, ?%s)+")
COLUMNS = re.compile(r"(?<=^SELECT )((?:(?! FROM |\(SELECT ).){60})(?:(?! FROM |\(SELECT ).)+(?= FROM )")


class Statement(NamedTuple):
    """A statement without its values, how often it was carried out, and how long that took in all."""

    sql: str
    times: int
    ms: float

    def __str__(self) -> str:
        often = f"{self.times} times" if self.times > 1 else "once"
        return f"{often} in {self.ms:,} ms: {self.sql}"


def watch(connection: Any) -> None:
    """Count what is carried out on a thread's connection, for the request that the thread works at."""
    if count not in connection.execute_wrappers:
        connection.execute_wrappers.append(count)


def count(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any) -> Any:
    statements = current.statements
    if statements is None:
        return execute(sql, params, many, context)
    started = perf_counter()
    try:
        return execute(sql, params, many, context)
    finally:
        # Of psycopg's own compositions, which hold values, only the name is told.
        statements.add(sql if isinstance(sql, str) else type(sql).__name__, perf_counter() - started)


def slowest(statements: Statements) -> list[Statement]:
    """Return the statements that took longest in all, those together that differ in their values alone."""
    alike: dict[str, tuple[int, float]] = {}
    for sql, (times, seconds) in statements.each.items():
        text = plain(sql)
        before, so_far = alike.get(text, (0, 0.0))
        alike[text] = before + times, so_far + seconds
    found = sorted(alike.items(), key=lambda each: -each[1][1])[:MOST]
    return [Statement(text, times, round(seconds * 1000, 1)) for text, (times, seconds) in found]


def plain(sql: str) -> str:
    """Return a statement on one line, without texts that were written into it, and with long lists cut."""
    text = " ".join(TEXT.sub("'...'", sql).split())
    text = COLUMNS.sub(r"\1...", PLACES.sub("%s, ...", text))
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
