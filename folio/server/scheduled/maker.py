"""Who makes the backups that are due: of all processes that do tasks one at a time, by a process of its own.

A backup takes minutes, in which the thread of the tasks could do nothing else, and reads all files, which would take
the processor from the requests of its worker. So a thread of the worker waits for the moment, takes the lease, and has
a child make it, which gives way to others. The child ends with the worker: it is told to when that stops, and finds its
input at an end where that was killed. The lease ends with it, nothing is written down, and so the backup is due as
before: another worker begins it again, and finds what the store has already.
"""

import logging
import os
import signal
import subprocess
import sys
from collections import deque
from datetime import datetime, timedelta
from multiprocessing import util
from threading import Event, Lock, Thread
from typing import Any

from django.conf import settings
from django.db import Error, connections
from django.utils import timezone

from folio.postgresql.pools import give_back
from folio.server.draining import is_draining
from folio.server.refusing import Refused
from folio.tasks.leases import leases

logger = logging.getLogger(__name__)

LEASE = "backups.schedule"
ELSEWHERE = timedelta(seconds=30)  # after which is looked again at what someone else was making
LONGEST = 3600.0  # seconds that are waited at once
STOP_SECONDS = 5  # that a child may take to end what it is at, before it is killed
LINES = 5  # of what a child said at its end, for the log
CHILD = "folio.server.scheduled.child"


class Maker:
    """The thread of a process, there for as long as backups are to be made."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.woken = Event()
        self.is_stopping = Event()
        self.thread: Thread | None = None
        self.child: subprocess.Popen[Any] | None = None
        self.due_at: datetime | None = None
        self.has_finalizer = self.has_begun = False

    def run_once(self) -> None:
        """Make the backup that is due, unless someone else is at it, and return when it is done."""
        from .due import make_due

        self.begin()
        held = leases()
        try:
            if held.take(LEASE):
                make_due()
        finally:
            held.close()

    def begin(self) -> None:
        """Have the environment's schedule hold, once in a process: not all are begun by `folio serve`."""
        from .schedule import apply_environment

        if self.has_begun:
            return
        self.has_begun = True
        try:
            apply_environment()
        except Refused as error:
            logger.error("No backups are made. %s", error)

    def keep_running(self) -> None:
        from folio.server.models import BackupSchedule

        if not settings.RUN_TASKS:
            return
        self.begin()
        due_at = BackupSchedule.objects.values_list("due_at", flat=True).first()
        with self.lock:
            if due_at != self.due_at:
                self.due_at = due_at
                self.woken.set()
            if due_at is None or (self.thread is not None and self.thread.is_alive()):
                return
            self.thread = Thread(target=self.serve, name="backups", daemon=True)
            self.thread.start()
            if not self.has_finalizer:
                self.has_finalizer = True
                # The workers are processes that `multiprocessing` ends, which calls no function of `atexit`.
                util.Finalize(None, self.stop, exitpriority=12)

    def stop(self) -> None:
        """End what is being made, and wait until it has ended."""
        self.is_stopping.set()
        self.woken.set()
        child = self.child
        if child is not None:
            end(child)
        if self.thread is not None:
            self.thread.join(1)

    def serve(self) -> None:
        not_before = timezone.now()
        while not self.is_stopping.is_set():
            self.woken.clear()
            due_at = self.due_at
            if due_at is None:
                with self.lock:
                    if self.due_at is None:
                        self.thread = None
                        return
                continue
            left = (max(due_at, not_before) - timezone.now()).total_seconds()
            if left > 0:
                self.woken.wait(min(left, LONGEST))
                continue
            not_before = timezone.now() + ELSEWHERE
            try:
                self.make()
            except Error as error:
                logger.warning("A backup that is due can't be begun; it is tried again. %s", str(error).strip())
            except Exception:
                logger.exception("A backup that is due could not be begun; it is tried again.")
            finally:
                connections.close_all()
                give_back()

    def make(self) -> None:
        """Have the due backup made, unless someone else is at it or the server is about to stop."""
        from .records import current, failed

        if is_draining():
            return
        held = leases()
        try:
            if not held.take(LEASE):
                return
            schedule = current()
            began = timezone.now()
            if schedule is None or schedule.due_at > began:
                self.due_at = schedule.due_at if schedule is not None else None
                return
            connections.close_all()  # nothing is asked for as long as the child takes
            status, said = self.run_child()
            if self.is_stopping.is_set():
                return
            if status:
                seconds = (timezone.now() - began).total_seconds()
                failed(schedule, began, ended_with(status, said), seconds)
            self.due_at = found.due_at if (found := current()) is not None else None
        finally:
            held.close()

    def run_child(self) -> tuple[int, str]:
        """Return the status with which a child that makes what is due has ended, and its last lines."""
        lines: deque[str] = deque(maxlen=LINES)
        with subprocess.Popen(  # noqa: S603 a module of ours
            [sys.executable, "-P", "-m", CHILD],
            stdin=subprocess.PIPE,  # which ends with this process
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            start_new_session=True,  # Ctrl-C in a terminal is for the server
        ) as child:
            self.child = child
            try:
                if self.is_stopping.is_set():
                    end(child)
                assert child.stderr is not None
                for line in child.stderr:
                    sys.stderr.write(line)  # its log is the server's
                    lines.append(line.strip())
                return child.wait(), "\n".join(lines)
            finally:
                self.child = None


def end(child: "subprocess.Popen[Any]") -> None:
    """End a child, kindly first."""
    child.terminate()
    try:
        child.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()


def ended_with(status: int, said: str) -> str:
    how = f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with the status {status}"
    return f"The process that was making it {how}. {said.splitlines()[-1] if said else 'The system may know why.'}"


maker = Maker()
