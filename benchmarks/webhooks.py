"""What webhooks cost, and how soon they come: `python -m benchmarks.webhooks [--database postgresql] [--quick]`.

Writes with ten webhooks are measured between two turns of writes without any, by the same server, for long enough that
changes are compared and told meanwhile: the database grows, and writes become slower by themselves. From a commit to
its message's arrival it takes FOLIO_WEBHOOK_SECONDS, and what is stated here beyond them. A comparison is timed by
itself, with nothing that was read before.
"""

import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from tests.delivery.webhooks.endpoints import LOOPBACK, Endpoint, endpoint

from . import report
from .__main__ import PORTFOLIOS, ROUNDS, database_of, made, tell
from .load import wrk
from .options import DATABASES, alone, begun, parser_of
from .processes import LIST, PYTHON, ROOT, Installation, Server, folio
from .report import Measure

MORE = 10_000  # portfolios
WEBHOOKS = 10
GATHERED = 10  # seconds: the default of FOLIO_WEBHOOK_SECONDS
SECONDS = GATHERED + 60 + 2  # of each turn of writes: a comparison is spread over up to a minute while others write
WARMING = 5  # seconds of writes that don't count
ARRIVALS = 5
LATE, RATIO = 2.0, 0.95  # what is aimed at
SETTLED = 5.0  # seconds until what was switched on or off has been noticed, and its baseline is made
PATIENCE = 120.0
# No pictures are made meanwhile: that takes a while, and would be measured too.
VARIABLES = {"FOLIO_PUBLIC_READ": "true", "FOLIO_WEBHOOK_PRIVATE": LOOPBACK, "FOLIO_IMAGE_WIDTHS": ""}
SWITCH = """
import sys, django
django.setup()
from folio.delivery.models import Webhook
url, count = sys.argv[1], int(sys.argv[2])
Webhook.objects.all().delete()
for _ in range(count):
    Webhook.objects.create(url=url)
"""
COMPARE = """
import time, django
django.setup()
from folio.delivery.models import Webhook
from folio.delivery.webhooks.comparing import compare, complete_baseline
Webhook.objects.create(url="http://192.0.2.1/", is_active=True)
complete_baseline()
for _ in range({rounds}):
    began = time.perf_counter()
    assert compare(None) == 0
    print((time.perf_counter() - began) * 1000)
Webhook.objects.all().delete()
"""


def run(installation: Installation, program: str, *arguments: object) -> str:
    command = [PYTHON, "-c", program, *map(str, arguments)]
    done = subprocess.run(
        command, env=installation.environment, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
    )
    return done.stdout


def comparison_times(installation: Installation, rounds: int) -> list[float]:
    """Return the milliseconds that comparisons take which find nothing."""
    return [float(line) for line in run(installation, COMPARE.format(rounds=rounds)).split()]


def write_rates(served: Server, installation: Installation, site: Endpoint, rounds: int) -> list[float]:
    """Return the rates of writes with webhooks ÷ the mean of those before and after without, one for each round."""
    numbers, ratios = count(time.time_ns() // 1_000_000), []

    def rate(webhooks: int, seconds: float) -> float:
        run(installation, SWITCH, site.url, webhooks)
        time.sleep(SETTLED)
        return wrk(served.url + LIST, served.key, seconds, "patch", next(numbers), installation.portfolios).rate

    for webhooks in (0, WEBHOOKS):
        rate(webhooks, WARMING)
    before = rate(0, SECONDS)
    for _ in range(rounds):
        with_them, after = rate(WEBHOOKS, SECONDS), rate(0, SECONDS)
        ratios.append(2 * with_them / (before + after))
        tell(f"{before:.1f}, {with_them:.1f} with webhooks, {after:.1f} writes a second")
        before = after
    return ratios


def lateness(served: Server, installation: Installation, site: Endpoint, arrivals: int) -> list[float]:
    """Return by how many seconds more than they are gathered for changes arrive."""
    run(installation, SWITCH, site.url, 1)
    time.sleep(SETTLED + GATHERED)
    chance, found = random.Random(), []
    with served.client() as client:
        first = client.get(f"{LIST}?is_active=true&limit=1").json()["results"][0]["id"]
        for number in range(arrivals):
            site.received.clear()
            client.patch(f"{LIST}{first}/", {"excerpt": f"Changed at {time.time()}, {number} times."})
            committed = time.time()
            [received, *_] = site.wait_for(1, PATIENCE)
            found.append(received.at - committed - GATHERED)
            time.sleep(GATHERED + chance.random() * 2)
    return found


@contextmanager
def serving(installation: Installation) -> Iterator[Server]:
    """Serve, and wait until the worker does its tasks: it serves for a while before its first one."""
    with folio(installation) as served:
        time.sleep(10)
        yield served


def main() -> int:
    options, about = begun(parser_of("webhooks", "Measure webhooks."))
    rounds = 1 if options.quick else ROUNDS
    alone()
    with (
        database_of(options.database) as url,
        tempfile.TemporaryDirectory(prefix="folio-benchmarks-") as folder,
        endpoint() as site,
    ):
        few, many = (made(Path(folder), url, portfolios) for portfolios in (PORTFOLIOS, MORE))
        tell("Timing comparisons")
        compared = [comparison_times(installation, rounds) for installation in (few, many)]
        few.variables.update(VARIABLES)
        with serving(few) as served:
            tell("Waiting for webhooks")
            late = lateness(served, few, site, 1 if options.quick else ARRIVALS)
            tell("Measuring writes")
            ratios = write_rates(served, few, site, rounds)
    found = [
        Measure(f"writes with {WEBHOOKS} webhooks ÷ without", ratios, at_least=RATIO),
        Measure(f"commit to arrival, beyond the {GATHERED} s of gathering", late, "s", at_most=LATE),
        Measure(f"comparing {PORTFOLIOS:,} portfolios", compared[0], "ms"),
        Measure(f"comparing {MORE:,} portfolios", compared[1], "ms"),
    ]
    text = report.table_of(found, DATABASES[options.database])
    report.write_figures(f"webhooks-{options.database}", text, found, about)
    print(f"\n{text}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
