"""Who does the tasks: a thread of each worker that serves, and `folio runtasks`; one at a time each.

That the thread waits writes nothing: it looks whether anything was committed, as reads do, and reads the tasks only
then, or when one falls due. What it writes is that an attempt begins, before it does, and how it ended.
"""

import logging
import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from multiprocessing import util
from threading import Event, Lock, Thread

from django.conf import settings
from django.core.signals import request_started
from django.db import Error, IntegrityError, connections, transaction
from django.utils import timezone

from folio import snapshots
from folio.postgresql.pools import give_back

from .leases import Leases, leases
from .models import State, Task
from .registry import Kind, companions, kinds, lookouts

logger = logging.getLogger(__name__)

SECONDS_VARIABLE = "FOLIO_TASKS_SECONDS"  # for tests, which can't wait for long
SECONDS = float(os.environ.get(SECONDS_VARIABLE, 1))  # between two looks whether anything was committed
# A worker serves for a while before its first task. Should that be its death, the server goes on with a new worker: it
# ends where a worker dies within 5.5 seconds after it took the place of another one.
BEFORE_FIRST = 8 * SECONDS
STOP_SECONDS = 3  # that the end of the process is put off for what is being done
KEEP_SECONDS = 30  # for which a connection is kept that nothing is asked on
AT_ONCE = 500  # tasks that are looked through for one to do
DEATHS = 2  # of workers over one task, after which it waits as after a failure: the first may have been a restart
ERROR_SIZE = 2_000  # characters that are kept of an error
FAILED_KEPT = timedelta(days=90)
UID = "folio.tasks.start"


class Runner:
    """Does what is due, one task after another, in the thread that calls it."""

    def __init__(self) -> None:
        self.is_stopping = Event()
        self.leases: Leases | None = None
        self.attempts = self.failures = 0  # since the process began, for whoever watches it

    def run_due(self) -> int:
        """Do what is due and nobody else is at; return how many attempts that were."""
        count = 0
        for look in lookouts:
            look()
        while not self.is_stopping.is_set() and (begun := self.begin_next()) is not None:
            count += 1
            self.run(*begun)
            self.look_around()
        return count

    def look_around(self) -> None:
        """See to what can't wait until no task is due, which may be hours where many pictures are made."""

    def accompany(self) -> None:
        """Have what is due done besides the tasks."""
        for companion in companions:
            companion.run_once()

    def next_due(self) -> datetime | None:
        """Return when the next task falls due, of those that wait and of those that someone else is at."""
        return Task.objects.open(kinds).values_list("due_at", flat=True).first()

    def begin_next(self) -> tuple[Task, Kind] | None:
        """Take the lease of the first task that is due and free, and write down that an attempt begins."""
        self.leases = self.leases or leases()
        for pk in list(Task.objects.due(kinds, timezone.now()).values_list("pk", flat=True)[:AT_ONCE]):
            if self.leases.take(pk):
                try:
                    task = self.begin(pk)
                except BaseException:
                    self.leases.free()
                    raise
                if task is not None:
                    return task, kinds[task.name]
                self.leases.free()
        return None

    def begin(self, pk: int) -> Task | None:
        """Write down that an attempt at a task begins, whose lease is held; None where it is not to be done now."""
        now = timezone.now()
        with transaction.atomic():
            task = Task.objects.select_for_update(skip_locked=True).due(kinds, now).filter(pk=pk).first()
            if task is None:  # done meanwhile, or someone who needs it has not committed yet
                return None
            if task.state == State.RUNNING and not self.may_begin_again(task, now):
                return None
            task.state, task.started_at, task.attempts = State.RUNNING, now, task.attempts + 1
            task.save(update_fields=["state", "started_at", "attempts"])
        return task

    def may_begin_again(self, task: Task, now: datetime) -> bool:
        """Tell whether a task over which a worker died is to be done at once; else write down what becomes of it."""
        if task.attempts < DEATHS:
            return True
        self.failed(task, kinds[task.name], "The worker died.", since=task.started_at or now)
        return False

    def run(self, task: Task, kind: Kind) -> None:
        """Do a task whose attempt has begun, write down how it ended, and give its lease back."""
        assert self.leases is not None
        self.attempts += 1
        problem: Exception | None = None
        again = None
        try:
            try:
                again = kind.function(task.payload)
            except Exception as error:
                problem = error
                self.failures += 1
            if not self.leases.is_held():
                logger.warning(
                    "The lease of %s was lost while it ran; another worker may have done it too.", told(task)
                )
            with transaction.atomic():
                # Fewer or more attempts: another worker has it, after this one's lease was lost.
                mine = Task.objects.select_for_update().filter(pk=task.pk, attempts=task.attempts, state=State.RUNNING)
                if mine.exists():
                    self.end(task, kind, again, problem)
        finally:
            self.leases.free()

    def end(self, task: Task, kind: Kind, again: datetime | None, problem: Exception | None) -> None:
        if problem is not None:
            self.failed(task, kind, f"{type(problem).__name__}: {problem}", problem)
        elif again is not None:
            wait(task, due_at=again, attempts=0, error="")
        else:
            task.delete()

    def failed(
        self, task: Task, kind: Kind, error: str, problem: Exception | None = None, since: datetime | None = None
    ) -> None:
        """Have a task wait for its next attempt; after the last one it is kept as failed."""
        error = error.replace("\0", "")[:ERROR_SIZE]
        if task.attempts < kind.most_attempts:
            due_at = (since or timezone.now()) + kind.waits[task.attempts - 1]
            wait(task, due_at=due_at, error=error)
            logger.warning(
                "Attempt %d of %d at %s failed; the next is due at %s. %s",
                task.attempts,
                kind.most_attempts,
                told(task),
                f"{due_at:%Y-%m-%d %H:%M:%S} UTC",
                error,
            )
            return
        if task.key is not None:
            Task.objects.filter(key=task.key, state=State.FAILED).delete()
        Task.objects.filter(state=State.FAILED, started_at__lt=timezone.now() - FAILED_KEPT).delete()
        Task.objects.filter(pk=task.pk).update(state=State.FAILED, error=error)
        logger.error(
            "The last of %d attempts at %s failed; it is kept, see `folio runtasks --list`. %s",
            task.attempts,
            told(task),
            error,
            exc_info=problem,
        )

    def close(self) -> None:
        """Close the connections of this thread."""
        self.close_leases()
        connections.close_all()

    def close_leases(self) -> None:
        if self.leases is not None:
            self.leases.close()


def wait(task: Task, *, due_at: datetime, **values: object) -> None:
    """Have a task that was being done wait again, or go where another one of its key waits already."""
    row = Task.objects.filter(pk=task.pk)
    try:
        with transaction.atomic():
            row.update(state=State.WAITING, due_at=due_at, **values)
    except IntegrityError:
        Task.objects.filter(key=task.key, state=State.WAITING, due_at__gt=due_at).update(due_at=due_at)
        row.delete()


def told(task: Task) -> str:
    """Return a task for the log; what is in its payload may be secret."""
    return f"task {task.pk} ({task.name}{f', {task.key}' if task.key else ''})"


class ServingRunner(Runner):
    """The runner of a worker that serves: a thread that wakes up when there may be something to do."""

    def __init__(self) -> None:
        super().__init__()
        self.woken = Event()
        self.lock = Lock()
        self.thread: Thread | None = None
        self.due_at: datetime | None = None  # when the next task is
        self.seen: int | None = None  # the snapshot before the tasks were last looked for
        self.is_away = False  # the database, as far as it was told

    def start_with_requests(self) -> None:
        """Do what falls due from the first request on, where a process may load the program only to fork others.

        These would have the connections of its thread, which they must not use, and not the thread.
        """

        def start(**kwargs: object) -> None:
            request_started.disconnect(dispatch_uid=UID)
            self.start()

        request_started.connect(start, weak=False, dispatch_uid=UID)

    def start(self) -> None:
        """Do what falls due from now on, until the process ends; nothing where the settings say so."""
        if not settings.RUN_TASKS:
            return
        with self.lock:
            if self.thread is None or not self.thread.is_alive():
                self.thread = Thread(target=self.serve, name="tasks", daemon=True)
                self.thread.start()
                # The workers are processes that `multiprocessing` ends, which calls no function of `atexit`.
                util.Finalize(None, self.stop, exitpriority=10)

    def stop(self) -> None:
        self.is_stopping.set()
        self.woken.set()
        if self.thread is not None:
            self.thread.join(STOP_SECONDS)

    def wake_up(self) -> None:
        """Have the thread look at once: something was enqueued here."""
        self.woken.set()

    def serve(self) -> None:
        self.is_stopping.wait(BEFORE_FIRST)
        for _ in self.moments():
            try:
                self.accompany()
                self.run_due()
                self.due_at = self.next_due()
                if self.is_away:
                    logger.info("Tasks are looked for again.")
                self.is_away = False
            except Error as error:
                self.tell(error)
            except Exception:
                logger.exception("What is due could not be looked for; it is tried again.")
                self.close()
        self.close()

    def accompany(self) -> None:
        for companion in companions:
            companion.keep_running()

    def look_around(self) -> None:
        self.accompany()

    def tell(self, error: Error) -> None:
        """Log once that the database is away, or has not the tables yet; the next look tries again."""
        if not self.is_away:
            logger.warning("What is due can't be looked for; it is tried again until it can. %s", str(error).strip())
        self.is_away = True
        self.due_at = None
        self.seen = None
        self.close()

    def moments(self) -> Iterator[None]:
        """Yield when there may be something to do: something was committed, or a task is due."""
        generation, looked_at = None, timezone.now()
        while not self.is_stopping.is_set():
            self.woken.clear()
            looks = snapshots.looks()
            snapshot = looks.snapshot() if looks is not None else None
            if looks is not None and looks.generation != generation:  # another file, or server, than before
                self.close()
                generation = looks.generation
            now = timezone.now()
            is_due = self.due_at is not None and self.due_at <= now
            if looks is not None and snapshot is None:  # the database is away, which the look has told
                self.seen = None
                self.close()
            elif snapshot is None or snapshot != self.seen or is_due:
                self.seen, looked_at = snapshot, now
                yield
            elif now - looked_at > timedelta(seconds=KEEP_SECONDS):
                self.close()
            give_back()
            self.woken.wait(self.pause())

    def pause(self) -> float:
        """Return for how many seconds nothing needs to be looked at."""
        left = SECONDS if self.due_at is None else (self.due_at - timezone.now()).total_seconds()
        # What is due now and was not done is another worker's; should that one die, this one takes it over.
        return min(SECONDS, left) if left > 0 else SECONDS


runner = ServingRunner()
