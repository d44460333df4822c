"""The server's parent: it starts the workers, replaces those that die or outgrow their memory, and ends them all.

It has one thread, which waits for signals and for its children, so that it can fork at any time. It answers no requests
and knows nothing of HTTP; docs/decisions/0053-a-parent-of-our-own.md tells why it is not the HTTP server's.
"""

import logging
import multiprocessing
import os
import select
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.context import ForkProcess
from types import FrameType
from typing import Any, Protocol

from . import draining
from .line import CLOSE, HURRY, LEAVE, STOP, Line
from .memory import resident_memory

logger = logging.getLogger(__name__)

STOP_SECONDS = 8  # for requests to end when the server is stopped; container engines kill after ten
QUICK_SECONDS = 5.5  # in which a worker that took a dead one's place must not die as well
LINGER_SECONDS = 1.0  # in which a worker that is renewed has its clients close their connections
FINISH_SECONDS = 600  # for requests of a worker that is renewed: nothing hurries, and an upload may take long
MEMORY_SECONDS_VARIABLE = "FOLIO_WORKER_MEMORY_SECONDS"  # for tests, which can't wait for long
LOOK_SECONDS = float(os.environ.get(MEMORY_SECONDS_VARIABLE, 10))  # between two looks at the workers' memory
CLEAN_SECONDS = 120  # for what a dead worker left to be cleaned up
CLEAN_AGAIN_SECONDS = 30  # after it could not be
MB = 1024 * 1024
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
forking = multiprocessing.get_context("fork")  # workers share what is loaded, the listener, and a byte of memory


class Counts(Protocol):
    """Who counts workers, and gives each a lane to count in."""

    def begins(self) -> int | None:
        """Return the lane of a worker that is about to be started; None where there is none."""

    def ends(self, lane: int | None, *, has_died: bool) -> None:
        """Take back the lane of a worker that has ended; it died where nobody had told it to."""

    def renews(self) -> None:
        """Note that a worker is started to take the place of another one."""

    def use(self, lane: int | None, worker: int) -> None:
        """Have this process, the worker of that number, count in the lane."""


class NoCounts:
    """Counts nothing."""

    def begins(self) -> None:
        return None

    def ends(self, lane: int | None, *, has_died: bool) -> None:
        pass

    def renews(self) -> None:
        pass

    def use(self, lane: int | None, worker: int) -> None:
        pass


@dataclass
class Plan:
    """What there is to be done, and within which bounds."""

    work: Callable[[int, int, Line], None]  # in each worker: with its number, its parent's process id and its line
    clean_up: Callable[[int], None]  # in a process of its own, after a worker has died; it may fail
    workers: int
    drain_seconds: float
    stop_seconds: float
    memory: int = 0  # bytes that a worker may take, 0 for any number
    when_ready: Callable[[], None] = lambda: None  # once, when the first worker serves; an OSError ends the server
    when_told: Callable[[], None] = lambda: None  # when it is told to stop, before anything else; in a signal's handler
    memory_of: Callable[[int | None], int] = resident_memory
    counts: Counts = field(default_factory=NoCounts)


@dataclass(eq=False)
class Worker:
    """A worker as its parent sees it."""

    number: int  # two have the same one while one of them is renewed
    process: ForkProcess
    line: Line
    replaces_dead: bool
    lane: int | None = None  # in which it counts
    began: float = field(default_factory=time.monotonic)
    is_ready: bool = False
    is_told: bool = False  # to stop
    is_leaving: bool = False  # nobody turns to it any more
    stop_at: float | None = None  # when it is to be told
    finish_seconds: float = FINISH_SECONDS  # that it has then
    kill_at: float | None = None

    @property
    def name(self) -> str:
        return f"worker-{self.number} (process {self.process.pid})"

    def leave(self, finish_seconds: float = FINISH_SECONDS) -> None:
        """Have no more clients turn to it, and those that it has close their connections, before it is told to stop."""
        self.is_leaving, self.finish_seconds = True, finish_seconds
        self.line.order(LEAVE)
        self.stop_at = time.monotonic() + LINGER_SECONDS

    def stop(self, seconds: float) -> None:
        self.is_told, self.stop_at = True, None
        self.kill_at = min(self.kill_at or float("inf"), time.monotonic() + seconds)
        self.line.order(CLOSE)
        self.line.order(STOP)


class Parent:
    """Keeps a number of workers alive until it is told to stop, or until they die too fast."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.workers: list[Worker] = []
        self.to_renew: list[Worker] = []
        self.renewed: tuple[Worker, Worker] | None = None  # the old one, and the new one that is not ready yet
        self.look_at = time.monotonic() + LOOK_SECONDS
        self.cleaner: ForkProcess | None = None
        self.cleaner_kill_at = 0.0
        self.clean_at: float | None = None
        self.stops = 0  # how often it was told to
        self.is_told_to_renew = self.has_served = False
        self.end_at: float | None = None  # when the drain ends
        self.is_ending = False
        self.status = 0
        self.wakes = os.pipe()
        for descriptor in self.wakes:
            os.set_blocking(descriptor, False)

    def run(self) -> int:
        """Serve until it is over, and return the exit status."""
        self.take_signals()
        try:
            for number in range(1, self.plan.workers + 1):
                self.start(number)
            while self.workers:
                self.wait()
                self.step(time.monotonic())
        finally:
            for process in self.children():
                process.kill()
                process.join()
        return self.status

    # Signals

    def take_signals(self) -> None:
        signal.set_wakeup_fd(self.wakes[1], warn_on_full_buffer=False)
        handlers: dict[signal.Signals, Callable[[int, FrameType | None], Any]] = {
            signal.SIGTERM: self.told_to_stop,
            signal.SIGINT: self.told_to_stop,
            signal.SIGHUP: self.told_to_renew,
            signal.SIGCHLD: nothing,
        }
        for number, handler in handlers.items():
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # as `nohup` leaves it
                signal.signal(number, handler)

    def told_to_stop(self, number: int, frame: FrameType | None) -> None:
        self.stops += 1
        draining.begin()
        self.plan.when_told()

    def told_to_renew(self, number: int, frame: FrameType | None) -> None:
        self.is_told_to_renew = True

    def heed_signals(self, now: float) -> None:
        if self.is_told_to_renew:
            self.is_told_to_renew = False
            self.to_renew = [worker for worker in self.workers if not worker.is_leaving]
        if self.is_ending and self.stops > 1:
            for worker in self.workers:
                if not worker.is_told:
                    worker.stop(self.plan.stop_seconds)
        if self.is_ending or not self.stops:
            return
        if self.end_at is None:
            self.end_at = now + self.plan.drain_seconds
            if self.plan.drain_seconds and self.stops == 1:
                logger.info("Told to stop: answering for %g more seconds.", self.plan.drain_seconds)
            for worker in self.workers:
                worker.line.order(CLOSE)
        if self.stops > 1 or self.end_at <= now:
            self.end()

    # Waiting

    def wait(self) -> None:
        """Wait until there is something to do."""
        lines = {worker.line.answers[0]: worker for worker in self.workers if not worker.is_ready}
        readable, _, _ = select.select([self.wakes[0], *lines], [], [], self.pause(time.monotonic()))
        for descriptor in readable:
            if descriptor == self.wakes[0]:
                os.read(descriptor, 4096)
            else:
                self.became_ready(lines[descriptor])

    def pause(self, now: float) -> float | None:
        """Return for how many seconds there is nothing to do unless something happens."""
        moments = [self.clean_at if self.cleaner is None else self.cleaner_kill_at]
        moments += [moment for worker in self.workers for moment in (worker.stop_at, worker.kill_at)]
        if not self.is_ending:
            moments += [self.end_at, self.look_at if self.plan.memory else None]
        due = [moment for moment in moments if moment is not None]
        return max(0.0, min(due) - now) if due else None

    def step(self, now: float) -> None:
        """Do what is due."""
        self.reap()
        self.heed_signals(now)
        for worker in self.workers:
            if worker.stop_at is not None and worker.stop_at <= now:
                worker.stop(worker.finish_seconds)
            if worker.kill_at is not None and worker.kill_at <= now:
                worker.kill_at = None
                logger.warning("%s did not end in time, and is killed.", worker.name)
                worker.process.kill()
        if not self.is_ending:
            if self.plan.memory and self.look_at <= now:
                self.look_at = now + LOOK_SECONDS
                self.look_at_memory()
            self.renew_next()
        self.clean(now)

    # Workers

    def children(self) -> list[ForkProcess]:
        return [*(worker.process for worker in self.workers), *([self.cleaner] if self.cleaner else [])]

    def start(self, number: int, replaces_dead: bool = False) -> Worker:
        line = Line.make()
        lane = self.plan.counts.begins()
        process = forking.Process(target=self.live, args=(number, os.getpid(), line, lane), name=f"worker-{number}")
        begin(process)
        line.keep_parents_end()
        worker = Worker(number, process, line, replaces_dead, lane)
        self.workers.append(worker)
        if self.end_at is not None:  # the others were told when it was set
            line.order(CLOSE)
        return worker

    def live(self, number: int, parent: int, line: Line, lane: int | None) -> None:
        """Be a worker; in its process."""
        self.leave_to_parent()
        line.keep_workers_end()
        self.plan.counts.use(lane, number)
        self.plan.work(number, parent, line)

    def leave_to_parent(self) -> None:
        """Let go, in a new process, of what is the parent's: its signals, and its ends of the lines to the others."""
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        for descriptor in self.wakes:
            os.close(descriptor)
        for worker in self.workers:
            worker.line.close_parents_end()

    def became_ready(self, worker: Worker) -> None:
        worker.is_ready = worker.line.is_ready()
        if not worker.is_ready:  # it is dying; only its end is waited for
            worker.process.join()
            return
        self.serves()
        memory = self.plan.memory_of(worker.process.pid) if self.plan.memory else 0
        if self.plan.memory and memory >= self.plan.memory:
            self.plan.memory = 0
            logger.warning(
                "Workers take more than FOLIO_WORKER_MEMORY as soon as they serve (%s), so none is renewed for it.",
                told_bytes(memory),
            )
        if self.renewed is not None and self.renewed[1] is worker:
            old, self.renewed = self.renewed[0], None
            if old in self.workers and not old.is_told:
                old.leave()

    def serves(self) -> None:
        """Say once that who comes will be answered."""
        if self.has_served or self.stops:
            return
        self.has_served = True
        try:
            self.plan.when_ready()
        except OSError as error:
            logger.critical("The server ends with the status 1, as nobody can reach it: %s.", error)
            self.status = 1
            self.end()

    def reap(self) -> None:
        """Find the workers that have ended."""
        for worker in [worker for worker in self.workers if worker.process.exitcode is not None]:
            self.workers.remove(worker)
            worker.line.close_parents_end()
            self.plan.counts.ends(worker.lane, has_died=not worker.is_told)
            if not worker.is_told or worker.process.exitcode:
                self.clean_at = time.monotonic()
            if not worker.is_told:
                self.died(worker)
            worker.process.close()
        if os.getpid() == 1:
            reap_strays({process.pid for process in self.children()})

    def died(self, worker: Worker) -> None:
        """Tell that a worker died which nobody had told to stop, and have another one take its place."""
        seconds = time.monotonic() - worker.began
        how = f"{worker.name} {told_exit(worker.process.exitcode)}"
        others = [other for other in self.workers if other.number == worker.number and not other.is_leaving]
        if self.renewed is not None and worker in self.renewed:
            self.renewed = None
        if self.is_ending or worker.is_leaving:
            logger.error("%s as it was about to stop.", how)
        elif others:  # the one that it was to take the place of, or the one that was to take its place
            logger.error("%s; process %s serves in its place.", how, others[0].process.pid)
        elif worker.replaces_dead and seconds <= QUICK_SECONDS:
            logger.critical(
                "%s %.1f seconds after it took the place of one that had died. The server ends with the status 1; "
                "whoever supervises it is to start it again.",
                how,
                seconds,
            )
            self.status = 1
            self.end()
        else:
            new = self.start(worker.number, replaces_dead=True)
            logger.error("%s; process %s takes its place.", how, new.process.pid)

    def end(self) -> None:
        """Have all workers finish what they are at and end.

        After a drain they leave first: what was just sent to them is answered.
        """
        draining.begin()
        self.plan.when_told()
        has_drained = self.plan.drain_seconds > 0 and self.stops == 1 and not self.status
        self.is_ending, self.to_renew, self.clean_at = True, [], None
        for worker in self.workers:
            worker.line.order(HURRY)
            if has_drained:
                worker.leave(self.plan.stop_seconds)
            else:
                worker.stop(self.plan.stop_seconds)
        if self.cleaner is not None:  # the next start goes on with it
            self.cleaner.kill()

    # Renewing

    def look_at_memory(self) -> None:
        for worker in self.workers:
            if worker.is_ready and not worker.is_leaving and worker not in self.to_renew:
                memory = self.plan.memory_of(worker.process.pid)
                if memory >= self.plan.memory and (self.renewed is None or worker not in self.renewed):
                    logger.info("%s has grown to %s, and is renewed.", worker.name, told_bytes(memory))
                    self.to_renew.append(worker)

    def renew_next(self) -> None:
        """Begin to renew the next worker, one at a time: start the one that takes its place."""
        while self.to_renew and self.renewed is None and not self.stops:
            old = self.to_renew.pop(0)
            if old in self.workers:
                self.plan.counts.renews()
                self.renewed = (old, self.start(old.number))

    # Cleaning up

    def clean(self, now: float) -> None:
        """Have what dead workers left cleaned up, in a process of its own: the database may be slow, or away."""
        if self.cleaner is not None:
            if self.cleaner.exitcode is None:
                if self.cleaner_kill_at <= now:
                    self.cleaner.kill()
                    self.cleaner_kill_at = now + CLEAN_SECONDS
                return
            if self.cleaner.exitcode:
                self.clean_at = now + CLEAN_AGAIN_SECONDS
            self.cleaner.close()
            self.cleaner = None
        if self.clean_at is not None and self.clean_at <= now and not self.is_ending:
            self.clean_at, self.cleaner_kill_at = None, now + CLEAN_SECONDS
            self.cleaner = forking.Process(target=self.clean_up, args=(os.getpid(),), name="cleaner")
            begin(self.cleaner)

    def clean_up(self, parent: int) -> None:
        self.leave_to_parent()
        self.plan.clean_up(parent)


def begin(process: ForkProcess) -> None:
    """Start a process that no signal reaches before it ignores those that are its parent's to heed."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def nothing(number: int, frame: FrameType | None) -> None:
    """Do nothing about a signal; that it came wakes up, as it would not without a handler."""


def told_exit(status: int | None) -> str:
    """Say how a process ended."""
    if status is None or status >= 0:
        return f"ended with the exit status {status}"
    try:
        return f"was ended by {signal.Signals(-status).name}"
    except ValueError:
        return f"was ended by the signal {-status}"


def told_bytes(size: int) -> str:
    return f"{size / MB:,.0f} MB"


def reap_strays(own: set[int | None]) -> None:
    """Take note of the ends of processes that were not started here.

    Children of a dead worker become those of the first process of a container, and stay as zombies until it has.
    """
    while True:
        try:
            found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if found is None or found.si_pid in own:
                return
            os.waitpid(found.si_pid, os.WNOHANG)
        except ChildProcessError:
            return
