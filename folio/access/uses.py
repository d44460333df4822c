"""When keys were last used, to the hour: noted in memory, written some time after.

A read must write nothing: not while it is answered, and not to the database more often than needed, for each commit
ends what other reads are answered from. So a key's use is noted where it is authenticated, and a thread of the worker
writes all that is new in one statement. It changes nothing where another worker has written the same hour. The response
cache keeps no answer beyond the full hour, so each hour has a read of each key that is authenticated.
"""

import logging
import os
from collections import defaultdict
from datetime import datetime
from multiprocessing import util
from threading import Event, Lock, Thread

from django.db import Error, connection
from django.utils import timezone

from .models import KeptAnswer, Token

logger = logging.getLogger(__name__)

SECONDS_VARIABLE = "FOLIO_USES_SECONDS"  # for tests, which can't wait for long
SECONDS = float(os.environ.get(SECONDS_VARIABLE, 60))  # between two looks whether there is anything to write
STOP_SECONDS = 3  # that the end of the process is put off for what is not written yet
BATCH = 500  # keys in one statement


class Uses:
    """What a process has noted of its keys' uses and not written yet."""

    def __init__(self) -> None:
        self.hours: dict[int, datetime] = {}  # by the token's id
        self.lock = Lock()
        self.is_serving = False
        self.is_stopping = Event()
        self.thread: Thread | None = None

    def note(self, token: Token, now: datetime | None = None) -> None:
        """Note that the token is used, unless its row says so for this hour already."""
        hour = (now or timezone.now()).replace(minute=0, second=0, microsecond=0)
        if token.last_used_at is not None and token.last_used_at >= hour:
            return
        with self.lock:
            self.hours[token.pk] = hour
            if self.is_serving and (self.thread is None or not self.thread.is_alive()):
                self.start()

    def start(self) -> None:
        """Start to write what is noted, until the process ends."""
        self.thread = Thread(target=self.write_behind, name="uses", daemon=True)
        self.thread.start()
        # The workers of the HTTP server are processes that `multiprocessing` ends, which calls no function of `atexit`.
        util.Finalize(None, self.stop, exitpriority=10)

    def write_behind(self) -> None:
        while not self.is_stopping.wait(SECONDS):
            self.write()
            connection.close()  # it is seldom needed, and its server may be another one then
        self.write()

    def stop(self) -> None:
        self.is_stopping.set()
        if self.thread is not None:
            self.thread.join(STOP_SECONDS)

    def write(self) -> None:
        """Write what was noted; what can't be written now is kept for the next time."""
        with self.lock:
            hours, self.hours = self.hours, {}
        tokens: dict[datetime, list[int]] = defaultdict(list)
        for pk, hour in hours.items():
            tokens[hour].append(pk)
        try:
            for hour, pks in tokens.items():
                for start in range(0, len(pks), BATCH):
                    Token.objects.filter(pk__in=pks[start : start + BATCH]).use(hour)
            if hours:  # as something is written in any case, what else is to go
                KeptAnswer.objects.forget_outdated()
        except Error:
            logger.warning("When keys were last used could not be written; it is tried again.", exc_info=True)
            with self.lock:
                self.hours = {**hours, **self.hours}


uses = Uses()
