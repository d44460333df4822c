"""Lines of the log about requests: made from a record, or, where memory has answered, from a line that was alike.

What memory answers takes some microseconds, and a record several times as long until it is a line. But most of such a
line is always the same for one answer: all but the moment, the request's id, its milliseconds and its client. So the
first line is made as every line is, with marks in these places, and others by putting theirs there.
"""

import logging
from collections.abc import Callable
from typing import Any, NamedTuple

from folio.current import MEMBER
from folio.logs import FIELDS, Console, Lines

from .shown import client_of, in_a_line, in_ms, known, summary

ID, MS, CLIENT = "0mark-0of-0the-0id", 98765432109.5, "mark.of.the.client"
QUICK = 0.01  # seconds, up to which a request's milliseconds are put into words in advance
TENTHS = [str(tenth / 10) for tenth in range(int(QUICK * 10_000) + 2)]
Fields = dict[str, Any]


class InALine(dict[str, Any]):
    """A request's members, which are put into words where somebody reads them."""

    def __str__(self) -> str:
        return in_a_line(self)


def record_of(level: int, words: object, request_id: str, fields: Fields) -> logging.LogRecord:
    record = logging.LogRecord("folio.requests", level, "", 0, words, None, None)  # nobody asks where it was written
    setattr(record, MEMBER, request_id)
    setattr(record, FIELDS, fields)
    return record


class Pattern(NamedTuple):
    """What stands before the moment, between it and the id, and so on to the end."""

    before: str
    moment_id: str
    id_ms: str
    ms_client: str
    after: str


class Hits:
    """Tells of requests that memory has answered alike, whose fields are those of the first one but for these marks."""

    def __init__(self, logger: logging.Logger, fields: Callable[[], Fields]) -> None:
        self.logger = logger
        self.fields = fields()
        self.console: Console | None = None  # by which the patterns were made
        self.patterns: dict[bool, Pattern | None] = {}  # where there is a client's address, and where there is none

    def tell(self, environ: dict[str, Any], request_id: str, seconds: float) -> bool:
        """Write the line of a request; return whether that could be done."""
        handlers = logging.root.handlers
        if len(handlers) != 1 or handlers[0] is not self.console:
            self.console = self.found_console()
            self.patterns.clear()
        console = self.console
        if console is None:
            return False
        forwarded = environ.get("HTTP_X_FORWARDED_FOR")
        server_says = environ.get("REMOTE_ADDR", "")
        client = known(server_says, "") if forwarded is None else client_of(server_says, forwarded)
        try:
            pattern = self.patterns[not client]
        except KeyError:
            pattern = self.patterns[not client] = self.learn(console, has_client=bool(client))
        if pattern is None:
            return False
        before, moment_id, id_ms, ms_client, after = pattern
        ms = TENTHS[int(seconds * 10_000 + 0.5)] if seconds < QUICK else in_ms(seconds)
        moment = console.formatter.moment_now()  # type: ignore[union-attr] # one of ours, see below
        console.gather(f"{before}{moment}{moment_id}{request_id}{id_ms}{ms}{ms_client}{client}{after}")
        return True

    def found_console(self) -> Console | None:
        """Return what writes the log, where that is all that does, and lines about requests are written."""
        handlers = logging.root.handlers
        if len(handlers) != 1 or self.logger.handlers or self.logger.filters:
            return None
        console = handlers[0]
        if not isinstance(console, Console) or not isinstance(console.formatter, Lines):
            return None
        return console if self.logger.isEnabledFor(logging.INFO) else None

    def learn(self, console: Console, *, has_client: bool) -> Pattern | None:
        """Return the pattern of these lines, None where the marks can't be found again in one that has them."""
        fields = {**self.fields, "ms": MS, "client": CLIENT if has_client else None}
        record = record_of(logging.INFO, InALine(fields), ID, {"message": summary(fields), **fields})
        return split(console.formatter, record, has_client=has_client)


def split(lines: Any, record: logging.LogRecord, *, has_client: bool) -> Pattern | None:
    rest = lines.format(record) + "\n"
    parts: list[str] = []
    for mark in [lines.moment(record.created), ID, str(MS), *([CLIENT] if has_client else [])]:
        if rest.count(mark) != 1:
            return None
        part, _, rest = rest.partition(mark)
        parts.append(part)
    return Pattern._make([*parts, rest] if has_client else [*parts, rest, ""])
