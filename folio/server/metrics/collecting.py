"""The sum of all workers in Prometheus' words, whichever of them is asked."""

import os
import platform
from collections.abc import Iterator

import django
from django.db import DEFAULT_DB_ALIAS, connections
from prometheus_client import generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from folio import __version__
from folio.snapshots.caches import SnapshotCache

from ..health import FINE, Health
from ..memory import resident_memory
from . import lanes
from .counting import BOUNDS
from .lanes import BUCKETS, DIED, RENEWED, STARTED, Kind, Lane
from .machine import Numbers, looking
from .measures import HELP, Telling

OF_A_WORKER = {"folio_worker_memory_bytes", "folio_worker_open_files"}  # told of each; of others the sum
BACKUPS = {  # each told where there is something to tell
    "backup": ("folio_backup_last_success_timestamp_seconds", "When the last backup was complete, as Unix time"),
    "backup every": ("folio_backup_interval_seconds", "Seconds between two backups of the schedule"),
    "backup failures": ("folio_backup_failures", "Attempts at a scheduled backup that failed one after another"),
}
LIMITS = [*(f"{bound:g}" for bound in BOUNDS), "+Inf"]


class Collecting(Collector):
    """What is told when it is asked for."""

    def __init__(self, health: Health, responses: SnapshotCache | None) -> None:
        self.health = health
        self.lanes, _ = lanes.mine()
        self.telling = Telling(responses)
        self.work, self.disks = looking()
        self.parent = os.getppid()

    def text(self) -> bytes:
        return generate_latest(self)

    def collect(self) -> Iterator[Metric]:
        self.telling.tell()
        yield from self.requests()
        yield from self.measures()
        yield from self.workers()
        yield from self.parts()
        yield from told_of_work(self.work())
        yield from told_of_disks(self.disks(), self.work())
        database = str(connections[DEFAULT_DB_ALIAS].vendor)
        build = GaugeMetricFamily("folio_build_info", "Versions", labels=["version", "python", "django", "database"])
        build.add_metric([__version__, platform.python_version(), django.__version__, database], 1)
        yield build

    def requests(self) -> Iterator[Metric]:
        """Tell of requests, dead workers' too."""
        counts: dict[Kind, float] = {}
        times: dict[tuple[str, str], list[float]] = {}
        for lane in self.lanes.all:
            for record in lane.records():
                counts[record.kind] = counts.get(record.kind, 0) + sum(record.buckets)
                route, method = record.kind[:2]
                before = times.setdefault((route, method), [0.0] * (BUCKETS + 1))
                times[route, method] = [
                    sum(pair) for pair in zip(before, [*record.buckets, record.seconds], strict=True)
                ]
        counter = CounterMetricFamily(
            "folio_requests", "Requests that were answered", labels=["route", "method", "status", "memory"]
        )
        for kind, count in sorted(counts.items()):
            counter.add_metric(list(kind), count)
        yield counter
        histogram = HistogramMetricFamily(
            "folio_request_duration_seconds",
            "Seconds from a request's beginning to the end of its answer",
            labels=["route", "method"],
        )
        for labels, numbers in sorted(times.items()):
            total, buckets = 0.0, []
            for limit, number in zip(LIMITS, numbers[:BUCKETS], strict=True):
                total += number
                buckets.append((limit, total))
            histogram.add_metric(list(labels), buckets, numbers[BUCKETS])
        yield histogram

    def measures(self) -> Iterator[Metric]:
        """Tell what workers tell of themselves: counts of all there ever were, and the living ones' of the moment."""
        living = self.living()
        families: dict[str, CounterMetricFamily | GaugeMetricFamily] = {}
        for index, each in enumerate(self.telling.measures):
            labels = [*each.labels, *(["worker"] if each.name in OF_A_WORKER else [])]
            family = families.get(each.name)
            if family is None:
                make = CounterMetricFamily if each.grows else GaugeMetricFamily
                family = families[each.name] = make(each.name, HELP[each.name], labels=labels)
            if each.name in OF_A_WORKER:
                for number in sorted({lane.worker for lane in living}):
                    own = [lane.measure(index) for lane in living if lane.worker == number]
                    family.add_metric([*each.labels.values(), str(number)], sum(own))
            else:
                seen = self.lanes.all if each.grows else living
                family.add_metric(list(each.labels.values()), sum(lane.measure(index) for lane in seen))
        yield from families.values()

    def living(self) -> list[Lane]:
        return [lane for lane in self.lanes.all if lane.owner]

    def workers(self) -> Iterator[Metric]:
        parents = self.lanes.parents
        yield GaugeMetricFamily("folio_workers", "Workers that serve", len(self.living()))
        yield CounterMetricFamily("folio_worker_starts", "Workers that were started", parents[STARTED])
        yield CounterMetricFamily("folio_worker_deaths", "Workers that died though nobody had told them", parents[DIED])
        yield CounterMetricFamily("folio_worker_renewals", "Workers that were replaced on purpose", parents[RENEWED])
        yield GaugeMetricFamily(
            "folio_parent_memory_bytes", "Memory that the first process takes", resident_memory(self.parent)
        )

    def parts(self) -> Iterator[Metric]:
        """Tell what `/readyz` tells."""
        _, told = self.health.readiness()
        up = GaugeMetricFamily("folio_up", "Whether a part is as requests need it: 1 or 0", labels=["part"])
        for part, word in told["parts"].items():
            up.add_metric([part], float(word in FINE))
        yield up


def told_of_work(found: Numbers) -> Iterator[Metric]:
    if not found:
        return
    tasks = GaugeMetricFamily("folio_tasks", "Tasks that are due, by their state; 10,000 at the most", labels=["state"])
    for state in ("due", "running", "failed"):
        tasks.add_metric([state], found[state])
    yield tasks
    yield GaugeMetricFamily("folio_tasks_oldest_seconds", "Seconds since the oldest of them was due", found["oldest"])
    messages = GaugeMetricFamily(
        "folio_webhook_messages",
        "Messages to webhooks that wait, that wait after an attempt failed, and the failed of the newest 1,000",
        labels=["state"],
    )
    for state in ("waiting", "retried", "failed"):
        messages.add_metric([state], found[f"messages {state}"])
    yield messages
    for key, (name, words) in BACKUPS.items():
        if found[key] >= 0:
            yield GaugeMetricFamily(name, words, found[key])


def told_of_disks(found: Numbers, work: Numbers) -> Iterator[Metric]:
    journal = found.get("journal", work.get("journal"))
    if journal is not None:
        yield GaugeMetricFamily("folio_journal_entries", "Operations whose files' fate is undecided", journal)
    if not found:
        return
    labels = ["folder"]
    free = GaugeMetricFamily("folio_disk_free_bytes", "Bytes of a folder's disk that are free", labels=labels)
    size = GaugeMetricFamily("folio_disk_size_bytes", "Bytes of that disk", labels=labels)
    for name in ("data", "uploads", "media"):
        if f"free {name}" in found:
            free.add_metric([name], found[f"free {name}"])
            size.add_metric([name], found[f"size {name}"])
    yield free
    yield size
    yield GaugeMetricFamily("folio_disk_reserve_bytes", "Bytes that uploads leave free", found["reserve"])
