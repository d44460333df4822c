"""What was found, and how it is told: one line each, without secrets."""

import os
from collections.abc import Iterable, Iterator
from enum import StrEnum
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from django.conf import settings

from folio.logs import masked


class State(StrEnum):
    OK = "ok"
    NOTE = "note"  # what is so, and neither good nor bad
    WARNING = "warning"
    FAULT = "fault"


class Finding(NamedTuple):
    """What was looked at and what is so; where that is not as it should be, what mends it."""

    state: State
    text: str
    mend: str = ""


Findings = Iterator[Finding]


def ok(text: str) -> Finding:
    return Finding(State.OK, text)


def note(text: str) -> Finding:
    return Finding(State.NOTE, text)


def warning(text: str, mend: str) -> Finding:
    return Finding(State.WARNING, text, mend)


def fault(text: str, mend: str) -> Finding:
    return Finding(State.FAULT, text, mend)


FINE, WARNED, FAULTY = 0, 1, 2  # exit statuses


def status_of(findings: Iterable[Finding]) -> int:
    """Return the exit status of the command that has found these."""
    states = {finding.state for finding in findings}
    return FAULTY if State.FAULT in states else WARNED if State.WARNING in states else FINE


def told(finding: Finding) -> Finding:
    """Return a finding as it may be shown: each text in one line, with `***` in the place of secrets."""
    return finding._replace(text=shown(finding.text), mend=shown(finding.mend))


def shown(text: str) -> str:
    line = masked(" ".join(text.split()))
    for secret in secrets():
        line = line.replace(secret, "***")
    return line if line.isprintable() else line.encode("unicode_escape").decode()


@cache
def secrets() -> list[str]:
    """Return what must not be shown, the longest first; words of others, such as a driver's, may hold it."""
    database: dict[str, Any] = settings.DATABASES["default"]
    found = [str(settings.SECRET_KEY), str(database.get("PASSWORD") or "")]
    found += [os.environ.get(name, "") for name in ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "SENTRY_DSN")]
    for url in (os.environ.get("DATABASE_URL", ""), settings.REDIS_URL):
        written = userinfo(url).partition(":")[2]
        found += [written, unquote(written)]
    return sorted({secret for secret in found if len(secret) >= LEAST}, key=len, reverse=True)


LEAST = 4  # characters; shorter ones would be found in any text


def userinfo(url: str) -> str:
    try:
        return urlsplit(url).netloc.rpartition("@")[0]
    except ValueError:
        return ""


def size(count: float) -> str:
    """Return bytes as people say them."""
    for unit in ("bytes", "KB", "MB", "GB"):
        if count < 1024 or unit == "GB":
            return f"{count:,.0f} bytes" if unit == "bytes" else f"{count:,.1f} {unit}"
        count /= 1024
    raise AssertionError


def ms(seconds: float) -> str:
    return f"{seconds * 1000:,.1f} ms"
