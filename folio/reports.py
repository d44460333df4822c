"""Reports of errors to Sentry, or what speaks its protocol, where SENTRY_DSN names one.

What the log has as an error is reported, and of failures of one kind one in a minute, as the log tells them. A report
says where the program failed and by which request; what people and clients have sent stays here, as do all secrets. It
is put together anew from what is known to be harmless: whatever a later version of the library adds stays out.
"""

import atexit
import logging
import socket
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from . import __version__
from .current import MEMBER, current
from .environment import env
from .logs import cause_of, is_mistake, masked
from .outages import Incidents, StorageAway, is_away

SECONDS = 60.0  # in which one report is sent of the same cause
STOP_SECONDS = 1.0  # that a process waits at its end for what is still to be sent
QUEUE = 100  # reports that wait to be sent; more are dropped
OWN = "folio"  # loggers and exceptions of ours, whose words are written here
LEFT_OUT = "The text is left out here, as it may hold what somebody has sent; the log of the server has it."
SENDER = "sentry-sdk.BackgroundWorker"  # the thread that sends
DSN = (
    "It must be the DSN of a project as Sentry shows it under Client Keys, such as "
    "https://0123456789abcdef@o1.ingest.sentry.io/42."
)
INSTALL = (
    "SENTRY_DSN says where errors are reported to, and what speaks with it is not installed. Install Folio with "
    "`sentry`: pip install --require-hashes -r requirements/extras.txt"
)
# What is taken of an event as it stands.
PLAIN = ("event_id", "timestamp", "platform", "level", "logger", "release", "environment", "server_name", "sdk")
MECHANISM = ("type", "handled", "exception_id", "parent_id")
FRAME = (
    *("filename", "abs_path", "function", "module", "lineno", "in_app"),
    *("pre_context", "context_line", "post_context"),
)


def reports_address(name: str) -> str:
    """Return the DSN that a variable is, "" where it is not set; raise ImproperlyConfigured for what is none.

    A DSN has a key in it, so none is shown.
    """
    text = env.str(name, default="").strip()
    if not text:
        return ""
    try:
        parts = urlsplit(text)
        project = parts.path.rpartition("/")[2]
        is_dsn = (
            parts.scheme in {"http", "https"}
            and bool(parts.username and parts.hostname)
            and parts.port != 0
            and project.isascii()
            and project.isdecimal()
        )
    except ValueError:  # half an IPv6 address, or a port that is none
        is_dsn = False
    if not is_dsn:
        raise ImproperlyConfigured(f"{name} is no address that errors could be reported to. {DSN}")
    if find_spec("sentry_sdk") is None:
        raise ImproperlyConfigured(INSTALL)
    return text


# The process


def begin() -> None:
    """Have this process report from now on, where the settings name a place: once more in each worker after its fork.

    What is sent is sent by a thread of its own, which the library starts with the first report.
    """
    from django.conf import settings  # which imports this module

    if not settings.SENTRY_DSN:
        return
    import sentry_sdk

    sentry_sdk.init(
        dsn=settings.SENTRY_DSN,
        release=f"folio@{__version__}",
        server_name=socket.gethostname(),
        # Nothing of the library's own is hung into the program: what is reported, the log's handler says.
        default_integrations=False,
        auto_enabling_integrations=False,
        traces_sample_rate=None,
        auto_session_tracking=False,
        send_client_reports=False,
        enable_backpressure_handling=False,
        send_default_pii=False,
        max_request_body_size="never",
        include_local_variables=False,
        max_breadcrumbs=0,
        attach_stacktrace=False,
        transport_queue_size=QUEUE,
        shutdown_timeout=STOP_SECONDS,
        before_send=before_send,  # type: ignore[arg-type]  # of dictionaries that are typed
    )
    quiet = logging.getLogger("urllib3.connectionpool")
    if not any(isinstance(each, SenderIsQuiet) for each in quiet.filters):
        quiet.addFilter(SenderIsQuiet())
        atexit.register(end)


def end() -> None:
    """Send what is still to be sent, for as long as a second, and report nothing more."""
    if (library := sys.modules.get("sentry_sdk")) is not None:
        library.get_client().close(timeout=STOP_SECONDS)


class SenderIsQuiet(logging.Filter):
    """Leaves out what is logged of attempts to send a report: where Sentry is away, that is no failure of ours."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.threadName != SENDER


# What is reported


class Reports(logging.Handler):
    """Reports what the log has as an error, but no client's mistakes, and of one cause once in a minute."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(logging.ERROR)
        self.clock = clock
        self.turn = Lock()
        self.told: dict[Any, float] = {}
        self.addFilter(Incidents(clock))

    def emit(self, record: logging.LogRecord) -> None:
        try:
            if not is_mistake(record) and record.threadName != SENDER and self.is_new(record):
                report(record)
        except Exception:  # a report that fails must not fail what it is about
            self.handleError(record)

    def is_new(self, record: logging.LogRecord) -> bool:
        failure = record.exc_info if record.exc_info and record.exc_info[0] is not None else None
        cause = (record.name, record.pathname, record.lineno, *(cause_of(failure) if failure else ()))
        key, now = repr(cause), self.clock()
        with self.turn:
            self.told = {other: at for other, at in self.told.items() if now - at < SECONDS}
            if key in self.told:
                return False
            self.told[key] = now
        return True


def report(record: logging.LogRecord) -> None:
    import sentry_sdk
    from sentry_sdk.utils import event_from_exception

    client = sentry_sdk.get_client()
    if not client.is_active():
        return
    event: dict[str, Any] = {}
    hint: dict[str, Any] = {}
    if record.exc_info and record.exc_info[0] is not None:
        event, hint = event_from_exception(record.exc_info, client_options=client.options)  # type: ignore[assignment]
    event["level"] = record.levelname.lower()
    event["logger"] = record.name
    event["message"] = words_of(record)
    event["tags"] = tags_of(record)
    sentry_sdk.capture_event(event, hint)  # type: ignore[arg-type]


def report_command(name: str) -> None:
    """Report the exception that a command is about to end with."""
    from django.conf import settings

    if settings.configured and settings.SENTRY_DSN:
        record = logging.LogRecord(
            "folio.command", logging.ERROR, __file__, 0, "A command failed: folio %s", (name,), sys.exc_info()
        )
        report(record)


def tags_of(record: logging.LogRecord) -> dict[str, str]:
    """Return what reports can be found by: the request's id, its method and the pattern of its address."""
    tags = {"version": __version__}
    if request_id := getattr(record, MEMBER, current.id):
        tags[MEMBER] = request_id
    request = getattr(record, "request", None)
    if request is not None:
        match = getattr(request, "resolver_match", None)
        tags["method"] = str(request.method)
        tags["route"] = f"/{match.route.removeprefix('^')}" if match else "-"
    if (status := getattr(record, "status_code", None)) is not None:
        tags["status"] = str(status)
    return tags


def words_of(record: logging.LogRecord) -> str:
    """Return a line's words: ours as they are, of others the pattern without what was put into it."""
    failure = record.exc_info[1] if record.exc_info else None
    if record.name == "django.request":  # where the path would be
        return "A request failed." if failure is None else f"A request failed: {type(failure).__name__}"
    return masked(record.getMessage() if record.name.partition(".")[0] == OWN else str(record.msg))


# What is sent


def before_send(event: dict[str, Any], hint: dict[str, Any]) -> dict[str, Any]:
    """Return a report of what is harmless in it, and nothing else."""
    sent = {name: event[name] for name in PLAIN if name in event}
    sent["tags"] = dict(event.get("tags") or {})
    if event.get("message"):
        sent["logentry"] = {"formatted": event["message"]}
    if route := sent["tags"].get("route"):
        sent["transaction"] = route
    failures = chain_of(hint.get("exc_info"))
    values = (event.get("exception") or {}).get("values") or []
    if values:
        sent["exception"] = {"values": [harmless(value, failures) for value in values]}
    return sent


def harmless(value: dict[str, Any], failures: list[BaseException]) -> dict[str, Any]:
    """Return an exception as it may be sent: its type, the way there, and its text where that is the system's own."""
    kept = {name: value[name] for name in ("type", "module", "mechanism") if value.get(name)}
    if "mechanism" in kept:
        kept["mechanism"] = {name: kept["mechanism"].get(name) for name in MECHANISM}
    text = str(value.get("value") or "")
    known = next((each for each in failures if str(each) == text and type(each).__name__ == value.get("type")), None)
    kept["value"] = masked(" ".join(text.split())) if tells_of_the_system(known) else LEFT_OUT
    frames = (value.get("stacktrace") or {}).get("frames") or []
    if frames:
        kept["stacktrace"] = {"frames": [{name: frame[name] for name in FRAME if name in frame} for frame in frames]}
    return kept


def tells_of_the_system(error: BaseException | None) -> bool:
    """Tell whether an exception's text is about a database, a storage or a file that can't be had."""
    return is_away(error) or isinstance(error, StorageAway | OSError | ImproperlyConfigured)


def chain_of(exc_info: Any) -> list[BaseException]:
    """Return an exception with those that it came of."""
    found: list[BaseException] = []
    waiting = [exc_info[1]] if exc_info else []
    while waiting:
        error = waiting.pop()
        if error is not None and not any(error is each for each in found):
            found.append(error)
            waiting += [error.__cause__, error.__context__, *getattr(error, "exceptions", ())]
    return found
