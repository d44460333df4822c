"""A clock that tests move."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone


class Clock:
    """The time of the whole process, as `time.time()` and Django tell it; it stands until a test moves it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = timezone.now().replace(microsecond=0)
        monkeypatch.setattr(time, "time", lambda: self.now.timestamp())
        monkeypatch.setattr(timezone, "now", lambda: self.now.astimezone(UTC))

    def move(self, **delta: float) -> datetime:
        """Move it on by a `timedelta` of these parts, and return what it tells then."""
        self.now += timedelta(**delta)
        return self.now

    def after(self, **delta: float) -> datetime:
        return self.now + timedelta(**delta)
