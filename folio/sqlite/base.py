"""Django's backend for SQLite, in which the transactions of a process take turns.

SQLite has one writer at a time. Whoever finds it busy sleeps and looks again, for up to a tenth of a second each time,
so that the file lies idle while many wait, and whoever came first may get it last. Here the threads of a process wait
for each other in the order in which they came, and only the first of them looks at the file.
"""

import os
import threading
import time
from collections import defaultdict, deque

from django.db.backends.sqlite3 import base
from django.db.utils import OperationalError

from folio.outages import RefusingWrapper, crowd

LOOK_AGAIN = 0.002  # seconds, while another process writes
TIMEOUT = 5.0  # seconds that Python's sqlite3 waits unless told


class Turns:
    """A lock that is had in the order in which it was asked for."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.is_taken = False
        self.waiting: deque[threading.Event] = deque()

    def take(self, seconds: float) -> bool:
        """Wait for one's turn, so many seconds at the most; tell whether it came."""
        with self.lock:
            if not self.is_taken:
                self.is_taken = True
                return True
            mine = threading.Event()
            self.waiting.append(mine)
        try:
            mine.wait(seconds)
        except BaseException:  # a signal that ends the process, or would
            if not self.withdraw(mine):
                self.give()
            raise
        return not self.withdraw(mine)

    def withdraw(self, mine: threading.Event) -> bool:
        """Wait no longer; tell whether it was in vain."""
        with self.lock:
            if mine.is_set():
                return False
            self.waiting.remove(mine)
            return True

    def give(self) -> None:
        """Give the turn to whoever has waited longest."""
        with self.lock:
            if self.waiting:
                self.waiting.popleft().set()
            else:
                self.is_taken = False


turns: dict[str, Turns] = defaultdict(Turns)  # by the database's path
os.register_at_fork(after_in_child=turns.clear)  # the thread whose turn it is may not be in the child


class DatabaseWrapper(RefusingWrapper, base.DatabaseWrapper):
    """A connection whose transactions wait for those of the process's other threads."""

    turn: Turns | None = None  # while it is this connection's

    def _start_transaction_under_autocommit(self) -> None:
        if self.is_in_memory_db():
            super()._start_transaction_under_autocommit()  # type: ignore[misc]
            return
        timeout = float(self.settings_dict["OPTIONS"].get("timeout", TIMEOUT))
        end = time.monotonic() + timeout
        turn = turns[str(self.settings_dict["NAME"])]
        with crowd.place():
            if turn.take(timeout):  # else SQLite says what is wrong
                self.turn = turn
            try:
                self.begin(timeout, end)
            except BaseException:
                self.give_turn()
                raise
        self.turn = turn  # whoever had it does not write, or SQLite had refused: it was lost, and is given on from here

    def begin(self, timeout: float, end: float) -> None:
        """Begin the transaction as soon as no other process writes; its writers let go for a moment only."""
        self.connection.execute("PRAGMA busy_timeout = 0")
        try:
            while True:
                try:
                    super()._start_transaction_under_autocommit()  # type: ignore[misc]
                except OperationalError as error:
                    is_busy = getattr(error.__cause__, "sqlite_errorname", "").startswith("SQLITE_BUSY")
                    if not is_busy or time.monotonic() >= end:
                        raise
                    time.sleep(LOOK_AGAIN)
                else:
                    return
        finally:
            self.connection.execute(f"PRAGMA busy_timeout = {timeout * 1000:.0f}")

    def _commit(self) -> None:
        super()._commit()  # type: ignore[misc]
        self.give_turn()  # where it failed, Django rolls back next

    def _rollback(self) -> None:
        try:
            super()._rollback()  # type: ignore[misc]
        finally:
            self.give_turn()

    def _set_autocommit(self, autocommit: bool) -> None:
        super()._set_autocommit(autocommit)  # type: ignore[misc]
        if autocommit:  # Python has committed what was open, if an interrupted commit or none at all has left it so
            self.give_turn()

    def _close(self) -> None:
        try:
            super()._close()  # type: ignore[misc]
        finally:
            self.give_turn()

    def give_turn(self) -> None:
        turn, self.turn = self.turn, None
        if turn is not None:
            turn.give()
