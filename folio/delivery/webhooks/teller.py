"""Who compares and sends: a thread of each process that does tasks, for as long as there are webhooks.

It is not the thread of the tasks: an endpoint that answers slowly would hold up what else is to be done, and pictures
that are being made would hold up what is to be told. Each attempt is made in a thread of its own, which has nothing to
do with the database: what came of it is written down here, of several at once.

That something was committed is seen as reads see it, and is noted in memory alone; so neither noticing nor a comparison
that finds nothing writes anything, and what is written here can set off one more comparison, but nothing without end.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from multiprocessing import util
from queue import SimpleQueue
from threading import Event, Lock, Thread
from time import monotonic, thread_time

from django.conf import settings
from django.db import Error, connections
from django.urls import set_script_prefix
from django.utils import timezone

from folio import snapshots
from folio.outages import outage
from folio.portfolios.moments import next_moment
from folio.postgresql.pools import give_back
from folio.tasks.leases import Leases, leases
from folio.tasks.runner import SECONDS

from ..models import Telling, ToldPortfolio, Webhook, WebhookDelivery
from . import outbox
from .comparing import Comparison, complete_baseline
from .connections import Unanswered, post
from .following import follow_unnoticed
from .messages import headers_of
from .outbox import Outcome

logger = logging.getLogger(__name__)

LEASE = "webhooks.compare"
ELSEWHERE = timedelta(seconds=60)  # after which is looked again what someone else was comparing
# Comparing takes no more than this share of the time: at once where something is committed all the time, and else, as
# where people edit, only once it took so many seconds.
SHARE, BEFORE_SHARE = 0.02, 10.0
BUSY = timedelta(seconds=3)  # within which each look found something committed
PIECE = 0.02  # seconds of the processor's time after which a comparison pauses then
SHORTEST = 0.005  # seconds of a pause
LONGEST = 60.0  # seconds over which it is spread by that, even if it has to take a larger share
LOOKS = timedelta(seconds=3 * SECONDS)  # between two looks at the most, or something was at rest
A_LOOK = timedelta(seconds=SECONDS)  # after which one that finds nothing tells that nothing is committed
SENDERS = 16  # attempts that a process makes at once
FORGET = timedelta(hours=1)  # between two looks for what is kept no longer
STOP_SECONDS = 3  # that the end of the process is put off for what is being sent


class Teller:
    """What a process knows of what is to be compared and sent."""

    def __init__(self, changed: Callable[[], object] = lambda: None) -> None:
        self.changed = changed  # called, by the threads of attempts, when one has ended
        self.outcomes: SimpleQueue[Outcome] = SimpleQueue()
        self.sending: set[int] = set()  # the deliveries to which an attempt is under way here
        self.leases: Leases | None = None
        self.generation: int | None = None
        self.seen: int | None = None  # the snapshot that was current when the database was last asked
        self.compare_at: datetime | None = None
        self.comparison: Comparison | None = None  # that was begun, and pauses until go_on_at
        self.go_on_at = timezone.now()
        self.expected = 0  # portfolios that it is going to compare
        self.worked = 0.0  # seconds of the processor's time that it took so far
        self.spread_until = timezone.now()
        self.spent = 0.0  # seconds of comparing that are still to be made up for
        self.rest_until = self.rested_at = timezone.now()  # no comparison begins before
        self.busy_since: datetime | None = None  # from when on each look has found something committed
        self.looked_at = timezone.now()
        self.send_at: datetime | None = None
        self.forget_at = timezone.now()

    def step(self) -> bool:
        """Do what is to be done now; return whether there are webhooks, so that there may be more."""
        self.settle()
        is_news = self.notice()
        if is_news:
            if not Webhook.objects.exists():
                return False
            follow_unnoticed()
            if self.comparison is None and ToldPortfolio.objects.filter(digest="").exists():
                self.alone(complete_baseline)
        now = timezone.now()
        if self.comparison is not None:
            if self.go_on_at <= now:
                self.go_on()
        elif self.compare_at is not None and self.compare_at <= now:
            self.compare()
        if is_news or (self.send_at is not None and self.send_at <= timezone.now()):
            self.send()
        if self.forget_at <= now:
            outbox.forget_old(now)
            self.forget_at = now + FORGET
        return True

    def notice(self) -> bool:
        """Look whether anything was committed, or a moment has passed; have it compared a while after the first.

        Of what was committed before the first look, nobody knows whether it was compared.
        """
        looks = snapshots.looks()
        snapshot = looks.snapshot() if looks is not None else None
        is_news = snapshot is None or snapshot != self.seen
        self.measure(is_news)
        if not is_news:
            return False
        generation = looks.generation if looks is not None else None
        if self.generation not in (None, generation):  # another file, or server, than before
            self.close()
        self.generation = generation
        if looks is not None and snapshot is not None:
            looks.hold(snapshot, next_moment)  # so that it ends then
        self.seen = snapshot
        if self.compare_at is None:
            due = timezone.now() + timedelta(seconds=settings.WEBHOOK_SECONDS)
            self.compare_at = max(due, self.rest_until)
        return True

    def measure(self, is_news: bool) -> None:
        """Note whether something is committed all the time."""
        now = timezone.now()
        since = now - self.looked_at
        if not is_news and since < A_LOOK:
            return
        self.looked_at = now
        if not is_news or since > LOOKS:
            self.busy_since = None
        elif self.busy_since is None:
            self.busy_since = now

    @property
    def is_busy(self) -> bool:
        return self.busy_since is not None and timezone.now() - self.busy_since >= BUSY

    def compare(self) -> None:
        """Compare what is published with what was told, unless someone else is at it."""
        self.compare_at = timezone.now() + ELSEWHERE  # should it not be done
        if not Telling.objects.exists():
            self.compare_at = None
            self.send_at = timezone.now()
            return
        self.leases = self.leases or leases()
        if not self.leases.take(LEASE):
            self.leases.close()
            return
        self.compare_at = None  # what is committed from now on is compared by the next one
        self.comparison = Comparison(snapshots.looks())
        self.expected, self.worked = ToldPortfolio.objects.count(), 0.0
        self.spread_until = timezone.now() + timedelta(seconds=LONGEST)
        self.go_on()

    def go_on(self) -> None:
        """Go on with a comparison: to its end, or for a short while where others write all the time."""
        assert self.comparison is not None
        began = thread_time()
        took = 0.0
        try:
            while not self.comparison.is_over and not (self.is_busy and took > PIECE):
                self.comparison.go_on(is_hurried=self.is_busy)
                took = thread_time() - began
        except BaseException:
            self.give_up()
            self.compare_at = timezone.now() + ELSEWHERE
            raise
        finally:
            self.rest(thread_time() - began)
        if self.comparison.is_over:
            self.give_up()
            self.compare_at = self.compare_at and max(self.compare_at, self.rest_until)
            self.send_at = timezone.now()
        else:
            self.worked += took
            self.go_on_at = min(self.rest_until, timezone.now() + self.pause_to_end_in_time(took))

    def pause_to_end_in_time(self, took: float) -> timedelta:
        """Return the pause after a piece that took so long, with which the comparison ends when it is to."""
        assert self.comparison is not None
        left = (self.spread_until - timezone.now()).total_seconds()
        missing = max(1, self.expected - self.comparison.seen) * self.worked / max(1, self.comparison.seen)
        return timedelta(seconds=max(0.0, took * (left / missing - 1)))

    def give_up(self) -> None:
        """Let another one compare, from the beginning where this one had not come to the end."""
        if self.comparison is not None and not self.comparison.is_over:
            self.compare_at = timezone.now() + ELSEWHERE
        self.comparison = None
        if self.leases is not None:
            self.leases.close()

    def rest(self, took: float) -> None:
        """Put off the next comparison, if they have taken too much of the processor's time of late."""
        now = timezone.now()
        made_up = SHARE * max(0.0, (now - self.rested_at).total_seconds())
        self.spent, self.rested_at = max(0.0, self.spent - made_up) + took, now
        allowed = 0.0 if self.is_busy else BEFORE_SHARE
        self.rest_until = now + timedelta(seconds=max(0.0, self.spent - allowed) / SHARE)

    def alone(self, work: Callable[[], object]) -> bool:
        """Do something that one process does at a time; return False where another one is at it."""
        self.leases = self.leases or leases()
        try:
            if not self.leases.take(LEASE):
                return False
            work()
            return True
        finally:
            self.leases.close()

    def send(self) -> None:
        """Begin what is due, as far as there is room for it."""
        now = timezone.now()
        room = SENDERS - len(self.sending)
        due = outbox.due(now)[:room] if room else []
        for delivery in outbox.begin(due, now) if due else ():
            self.sending.add(delivery.pk)
            Thread(target=self.attempt, args=(delivery, now), name="webhook", daemon=True).start()
        self.send_at = outbox.next_due()

    def attempt(self, delivery: WebhookDelivery, now: datetime) -> None:
        answer, error = None, ""
        try:
            headers = headers_of(delivery.webhook, delivery.message_id, delivery.body, now)
            answer = post(delivery.webhook.url, headers, delivery.body)
        except Unanswered as problem:
            error = str(problem)
        except Exception as problem:
            logger.exception("A message could not be sent.")
            error = type(problem).__name__
        self.outcomes.put(Outcome(delivery.pk, delivery.attempts, answer, error))
        self.changed()

    def settle(self) -> None:
        """Write down what came of the attempts that have ended."""
        ended = []
        while not self.outcomes.empty():
            ended.append(self.outcomes.get())
        if not ended:
            return
        try:
            outbox.settle(ended)
        except Error:
            for outcome in ended:  # it is tried again
                self.outcomes.put(outcome)
            raise
        self.sending -= {outcome.delivery for outcome in ended}
        self.send_at = timezone.now()

    def pause(self) -> float:
        """Return for how many seconds nothing is to be done, as far as it is known here."""
        now = timezone.now()
        if self.comparison is not None:
            return max(SHORTEST, min(SECONDS, (self.go_on_at - now).total_seconds()))
        moments = [each for each in (self.compare_at, self.send_at) if each is not None]
        left = min((moment - now).total_seconds() for moment in moments) if moments else SECONDS
        return min(SECONDS, left) if left > 0 else SECONDS

    def close(self) -> None:
        self.give_up()
        connections.close_all()


class ServingTeller:
    """The thread of a process, which begins when there is the first webhook and ends with the last."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.woken = Event()
        self.is_stopping = Event()
        self.thread: Thread | None = None
        self.has_finalizer = False
        self.is_away = False  # the database, as far as it was told

    def run_once(self) -> None:
        """Tell what has changed by now, without a wait for more, and return when all that is due has been tried."""
        if not Webhook.objects.exists():
            return
        woken = Event()
        teller = Teller(woken.set)
        try:
            teller.notice()
            teller.compare_at = timezone.now()
            teller.step()
            while teller.sending:
                woken.wait(SECONDS)
                woken.clear()
                teller.settle()
                teller.send()
        finally:
            teller.give_up()

    def keep_running(self) -> None:
        if not settings.RUN_TASKS:
            return
        with self.lock:
            if (self.thread is not None and self.thread.is_alive()) or not Webhook.objects.exists():
                return
            self.thread = Thread(target=self.serve, name="webhooks", daemon=True)
            self.thread.start()
            if not self.has_finalizer:
                self.has_finalizer = True
                # The workers are processes that `multiprocessing` ends, which calls no function of `atexit`.
                util.Finalize(None, self.stop, exitpriority=11)

    def stop(self) -> None:
        self.is_stopping.set()
        self.woken.set()
        if self.thread is not None:
            self.thread.join(STOP_SECONDS)

    def serve(self) -> None:
        set_script_prefix(settings.FORCE_SCRIPT_NAME or "/")  # it belongs to a thread, and URLs are made here too
        teller = Teller(self.woken.set)
        while not self.is_stopping.is_set():
            self.woken.clear()
            try:
                if not teller.step() and self.is_over(teller):
                    return
                self.is_away = False
            except Error as error:
                self.tell(teller, error)
            except Exception:
                logger.exception("Websites could not be told of changes; it is tried again.")
                teller.close()
            give_back()
            self.woken.wait(teller.pause())
        self.finish(teller)

    def is_over(self, teller: Teller) -> bool:
        """Tell whether the thread is to end, since there are no webhooks; whoever looks next begins another one."""
        with self.lock:
            if teller.sending or Webhook.objects.exists():
                return False
            self.thread = None
        teller.close()
        return True

    def tell(self, teller: Teller, error: Error) -> None:
        """Log once that the database is away; the next step tries again."""
        if not self.is_away and outage.since is None:
            logger.warning("What websites are told can't be looked for; it is tried again. %s", str(error).strip())
        self.is_away = True
        teller.seen = None
        teller.close()

    def finish(self, teller: Teller) -> None:
        """Write down what is still answered before the process ends; the rest is sent again."""
        end = monotonic() + STOP_SECONDS
        try:
            while teller.sending and monotonic() < end:
                self.woken.wait(0.1)
                self.woken.clear()
                teller.settle()
        except Error:
            logger.warning("What came of messages to websites could not be written down; they are sent again.")
        teller.close()


teller = ServingTeller()
