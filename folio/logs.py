"""What of the log is shown, and how: a line for each failure, its traceback now and then, no client's mistakes."""

import logging
import re
import time
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from http.client import responses
from types import TracebackType
from typing import Any

SECONDS = 60  # in which one traceback is told of the same cause
KEPT_SECONDS = 60 * 60  # for which it is known how many were left out
SERVER = "_granian"  # the HTTP server's logger
WORKERS = ("Respawning ", "Killing ")  # how its lines about workers that died, or would not end, begin
SECRET = re.compile(r"""([?&]preview=)[^\s&"'<>]+""")  # in URLs: the token of a preview link
Cause = tuple[Any, ...]


def is_mistake(record: logging.LogRecord) -> bool:
    """Tell whether a line is about what a client did wrong, which the answer has told the client."""
    if record.name.startswith("django.security"):
        return True
    return record.name == "django.request" and getattr(record, "status_code", 500) < 500


class MistakesOnDemand(logging.Filter):
    """Shows clients' mistakes to those alone who log at DEBUG; of what the HTTP server says, what went wrong."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.partition(".")[0] == SERVER and record.levelno < logging.ERROR:
            return record.getMessage().startswith(WORKERS)
        return not is_mistake(record) or logging.getLogger().isEnabledFor(logging.DEBUG)


@dataclass
class Told:
    """When the traceback of a cause was told, and how many were left out since."""

    at: float
    words: str
    more: int = 0


class Lines(logging.Formatter):
    """A line with the request's method, path and status where one failed, and its traceback once a minute.

    Where everything fails for one reason, such as a database that is away, the reason would not be found among
    thousands of copies.
    """

    def __init__(self, *arguments: Any, clock: Callable[[], float] = time.monotonic, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.clock = clock
        self.told: dict[Cause, Told] = {}

    def format(self, record: logging.LogRecord) -> str:
        shown = copy(record)
        shown.exc_text = None  # as another handler may have made it
        request, status = getattr(record, "request", None), getattr(record, "status_code", None)
        if record.name == "django.request" and request is not None and status is not None:
            # A path may hold anything, and stays in its line.
            path = request.path.encode("unicode_escape").decode()
            shown.msg, shown.args = f"{request.method} {path}: {status} {responses.get(status, '')}", ()
            if record.exc_info and record.exc_info[1] is not None:
                shown.msg += f" ({type(record.exc_info[1]).__name__})"
        if is_mistake(record):
            shown.levelno, shown.levelname, shown.exc_info = logging.DEBUG, "DEBUG", None
        note = self.note(shown) if shown.exc_info else ""
        if note:
            shown.msg, shown.args = f"{shown.getMessage()}{note}", ()
        return SECRET.sub(r"\1***", super().format(shown))

    def note(self, shown: logging.LogRecord) -> str:
        """Take the traceback from a line if it was told within the minute; return what is said of others."""
        assert shown.exc_info is not None
        cause, now = (shown.name, *cause_of(shown.exc_info)), self.clock()
        told = self.told.get(cause)
        if told is not None and now - told.at < SECONDS:
            told.more += 1
            shown.exc_info = None
            return f" [as the traceback at {told.words}]"
        self.told = {
            other: one for other, one in self.told.items() if now - one.at < (KEPT_SECONDS if one.more else SECONDS)
        }
        self.told[cause] = Told(now, self.formatTime(shown))
        return f" [{told.more} more like the traceback at {told.words}]" if told is not None and told.more else ""


def cause_of(exc_info: Any) -> Cause:
    """Return what failures have in common that went wrong in the same way: their type, and the way there."""
    kind, _, traceback = exc_info
    return (kind, *places(traceback))


def places(traceback: TracebackType | None) -> list[tuple[str, int]]:
    found = []
    while traceback is not None:
        found.append((traceback.tb_frame.f_code.co_filename, traceback.tb_lineno))
        traceback = traceback.tb_next
    return found
