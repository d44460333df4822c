"""What of the log is shown, and how: a line for each failure, its traceback now and then, no client's mistakes."""

import atexit
import json
import logging
import os
import re
import threading
import time
from collections import deque
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import responses
from multiprocessing import util
from types import TracebackType
from typing import Any

from .current import MEMBER, current
from .outages import StorageAway, is_away

SECONDS = 60  # in which one traceback is told of the same cause
KEPT_SECONDS = 60 * 60  # for which it is known how many were left out
GATHER_SECONDS = 0.05  # for which lines about answers from memory are gathered
MOST_GATHERED = 5_000
SERVER = "_granian"  # the HTTP server's logger
# Secrets, wherever they stand: in URLs the token of a preview link, API keys, what signs a webhook's messages.
SECRET = re.compile(r"""([?&]preview=)[^\s&"'<>]+|(folio_)[A-Za-z0-9_-]{43,}|(whsec_)[A-Za-z0-9+/=]{16,}""")
FIELDS = "fields"  # on a record: what `JSONLines` tells as members of their own
MARKS = ("preview=", "folio_", "whsec_")
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
            return False
        return not is_mistake(record) or logging.getLogger().isEnabledFor(logging.DEBUG)


@dataclass
class Told:
    """When the traceback of a cause was told, and how many were left out since."""

    at: float
    words: str
    more: int = 0


class Lines(logging.Formatter):
    """A line with the request's method, path and status where one failed, its id, and its traceback once a minute.

    Where everything fails for one reason, such as a database that is away, the reason would not be found among
    thousands of copies.
    """

    def __init__(self, *arguments: Any, clock: Callable[[], float] = time.monotonic, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.clock = clock
        self.told: dict[Cause, Told] = {}
        self.second = -1, ""  # the last one of a line, in words

    def format(self, record: logging.LogRecord) -> str:
        return masked(super().format(self.shown(record)))

    def shown(self, record: logging.LogRecord) -> logging.LogRecord:
        """Return a line's record as it is written."""
        # What brings its members is ready; to copy it would take longer than the rest.
        shown = record if hasattr(record, FIELDS) else copy(record)
        shown.exc_text = None  # as another handler may have made it
        request_id = getattr(record, MEMBER, current.id)
        shown.of_request = f" [{request_id}]" if request_id else ""
        request, status = getattr(record, "request", None), getattr(record, "status_code", None)
        if record.name == "django.request" and request is not None and status is not None:
            # A path may hold anything, and stays in its line.
            path = request.path.encode("unicode_escape").decode()
            shown.msg, shown.args = f"{request.method} {path}: {status} {responses.get(status, '')}", ()
            if record.exc_info and record.exc_info[1] is not None:
                shown.msg += f" ({type(record.exc_info[1]).__name__})"
        failure = shown.exc_info[1] if shown.exc_info else None
        if is_away(failure) or isinstance(failure, StorageAway):  # where it was asked tells nothing, and is long
            reason, left_out = " ".join(str(failure).split()), getattr(record, "left_out", 0)
            more = f" [{left_out} more like it were left out]" if left_out else ""
            shown.msg, shown.args, shown.exc_info = f"{shown.getMessage()} {reason}{more}", (), None
        if is_mistake(record):
            shown.levelno, shown.levelname, shown.exc_info = logging.DEBUG, "DEBUG", None
        note = self.note(shown) if shown.exc_info else ""
        if note:
            shown.msg, shown.args = f"{shown.getMessage()}{note}", ()
        return shown

    def moment(self, created: float) -> str:
        """Return what a line's moment begins with, down to the millisecond."""
        return f"{time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(created))},{int(created * 1000) % 1000:03d}"

    def moment_now(self) -> str:
        """Return the moment of a line that is written now; its second is put into words once."""
        now = time.time()
        second = int(now)
        known, words = self.second
        if second != known:
            words = self.moment(second)[:-3]
            self.second = second, words
        return f"{words}{int((now - second) * 1000):03d}"

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


class JSONLines(Lines):
    """An object for each line, for programs that gather logs: what `Lines` would write, by members.

    A line may bring members of its own as `fields`.
    """

    def moment(self, created: float) -> str:
        return datetime.fromtimestamp(created, UTC).isoformat(timespec="milliseconds").removesuffix("+00:00")

    def format(self, record: logging.LogRecord) -> str:
        shown = self.shown(record)
        moment = datetime.fromtimestamp(shown.created, UTC)
        own = getattr(record, FIELDS, {})
        told: dict[str, Any] = {
            "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": shown.levelname,
            "logger": shown.name,
            "message": own.get("message") or shown.getMessage(),
        }
        if request_id := getattr(record, MEMBER, current.id):
            told[MEMBER] = request_id
        told |= own
        if shown.exc_info:
            told["traceback"] = self.formatException(shown.exc_info)
        if shown.stack_info:
            told["stack"] = shown.stack_info
        return masked(json.dumps(told))  # all but ASCII is escaped, half a surrogate of a path too


class Console(logging.StreamHandler[Any]):
    """Writes lines to standard error: each at once, but for those that are gathered.

    To write a line takes longer than an answer from memory. So those about such answers are written together, by a
    thread, a moment later; before any other line, for the log to be in order; and by whoever brings one where too many
    wait, as what takes them may be slow. A process that is killed takes the lines of that moment with it.
    """

    def __init__(self, stream: Any = None) -> None:
        super().__init__(stream)
        self.gathered: deque[str] = deque()
        self.is_awaited = False  # by the thread
        self.woken = threading.Event()
        self.pid = 0  # of the process whose thread it is

    def gather(self, line: str) -> None:
        self.gathered.append(line)
        if not self.is_awaited:
            self.await_thread()
        elif len(self.gathered) > MOST_GATHERED:
            self.write_gathered()

    def await_thread(self) -> None:
        with self.lock or threading.RLock():
            if self.pid != os.getpid():
                self.pid = os.getpid()
                threading.Thread(target=self.run, name="log", daemon=True).start()
                util.Finalize(None, self.write_gathered, exitpriority=5)  # a worker calls no function of `atexit`
                atexit.register(self.write_gathered)
            self.is_awaited = True
            self.woken.set()

    def run(self) -> None:
        while True:
            self.woken.wait()
            time.sleep(GATHER_SECONDS)
            self.woken.clear()
            self.is_awaited = False
            self.write_gathered()

    def write_gathered(self) -> None:
        self.acquire()
        try:
            lines = [self.gathered.popleft() for _ in range(len(self.gathered))]
            if lines:
                self.stream.write("".join(lines))
                self.flush()
        except Exception:  # as logging does with what can't be written
            self.handleError(logging.LogRecord("folio.requests", logging.INFO, "", 0, "", None, None))
        finally:
            self.release()

    def emit(self, record: logging.LogRecord) -> None:
        if self.gathered:
            self.write_gathered()
        super().emit(record)


def masked(text: str) -> str:
    """Return a text without the secrets that can be told by how they look."""
    if not any(mark in text for mark in MARKS):  # as in nearly all lines, which are searched slowly else
        return text
    return SECRET.sub(lambda match: f"{match[1] or match[2] or match[3]}***", text)


def gather() -> None:
    """Have the log tell what Python would write to standard error by itself: warnings, and why a thread ended."""
    logging.captureWarnings(True)
    threading.excepthook = log_end_of_thread


def log_end_of_thread(end: threading.ExceptHookArgs) -> None:
    if end.exc_type is SystemExit:
        return
    name = end.thread.name if end.thread else "A thread"
    logging.getLogger("folio.threads").error(
        "%s ended by an error", name, exc_info=(end.exc_type, end.exc_value or end.exc_type(), end.exc_traceback)
    )


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
