"""What a second worker costs, and what PostgreSQL does: `python -m benchmarks.workers [--quick]`.

Both are of the list that was asked before. Two workers are set against one by the requests that a second of the
workers' own processor time answers: what they take from each other would show, and what the load takes of a core does
not. They are once on both cores each, and once on a core of its own each. Threads of one worker that run on two cores
wait for each other at Python's lock, and each wait costs more than an answer: how often they did is counted too.

PostgreSQL, on the server's core as well, is set against SQLite by requests a second, with few connections and with
many: each answer from memory needs a look at the database, and there that is a message to another process.
"""

import os
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from contextlib import ExitStack
from pathlib import Path

from tests.postgresql import UNAVAILABLE, find_binaries

from . import machine, report
from .__main__ import PORTFOLIOS, ROUNDS, SECONDS, database_of, made, tell
from .load import CONNECTIONS, wrk
from .processes import Installation, Server, children, folio
from .rates import BROWSER, FIRST
from .report import Measure

FEW = 4  # connections
SPREAD, APART = "on both cores", "on a core each"
WAYS = (SPREAD, APART)
WORKERS_RATIO, DATABASES_RATIO = 0.8, 0.4  # what is aimed at
TICKS = os.sysconf("SC_CLK_TCK")  # of processor time in a second


def main() -> int:
    parser = ArgumentParser(prog="python -m benchmarks.workers", description="Measure what a second worker costs.")
    parser.add_argument("--quick", action="store_true", help="one round, to see that it works")
    options = parser.parse_args()
    if missing := machine.missing_tools():
        print("\n".join(missing), file=sys.stderr)
        return 1
    if find_binaries() is None:
        print("PostgreSQL is not installed (Debian: apt-get install postgresql-15).", file=sys.stderr)
        return UNAVAILABLE
    about = machine.description()
    print(machine.summary(about))
    os.sched_setaffinity(0, {machine.cores()[1]})
    rounds = 1 if options.quick else ROUNDS
    with ExitStack() as stack:
        url = stack.enter_context(database_of("postgresql"))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="folio-workers-")))
        sqlite, postgresql = (made(folder / name, each, PORTFOLIOS) for name, each in (("s", None), ("p", url)))
        tell("Measuring workers")
        figures = [each for way in WAYS for each in compared(sqlite, way, rounds)]
        tell("Measuring databases")
        for connections in (FEW, CONNECTIONS):
            name = f"list asked before, {connections} connections, PostgreSQL ÷ SQLite"
            ratios = [rate(postgresql, connections) / rate(sqlite, connections) for _ in range(rounds)]
            figures.append(Measure(name, ratios, at_least=DATABASES_RATIO))
    text = report.table_of(figures, "both databases")
    report.write_figures("workers", text, figures, about)
    print(f"\n{text}\n\nWritten to {report.RESULTS}: workers.json and .md")
    return 0


def compared(installation: Installation, way: str, rounds: int) -> list[Measure]:
    """Set two workers against one, in turns."""
    ratio = Measure(f"two workers ÷ one, {way}, for each second of their processor time", [], at_least=WORKERS_RATIO)
    waits = {workers: Measure(f"waits for each request, workers: {workers}, {way}", [], "times") for workers in (1, 2)}
    for _ in range(rounds):
        rates = {}
        for workers, measure in waits.items():
            rates[workers], waited = for_each_second(installation, workers, way)
            measure.values.append(waited)
        ratio.values.append(rates[2] / rates[1])
    return [ratio, *waits.values()]


def for_each_second(installation: Installation, workers: int, way: str) -> tuple[float, float]:
    """Return how many requests so many workers answer from memory for a second of their own processor time.

    And how often, for each of them, a thread of theirs gave up its core to wait for something.
    """
    with folio(installation, "--workers", str(workers)) as server:
        for place, pid in enumerate(children(server.process.pid)):
            cores = machine.cores() if way == SPREAD else machine.cores()[place : place + 1]
            pin = ["taskset", "--all-tasks", "--cpu-list", "--pid", ",".join(map(str, cores)), str(pid)]
            subprocess.run(pin, check=True, capture_output=True)
        load(server, CONNECTIONS, 1)  # each worker has the answer now
        before, waited = processor_seconds(server), waits_of(server)
        requests = load(server, CONNECTIONS, SECONDS) * SECONDS
        return requests / (processor_seconds(server) - before), (waits_of(server) - waited) / requests


def waits_of(server: Server) -> int:
    """Return how often threads of a server's workers have waited so far."""
    found = 0
    for pid in children(server.process.pid):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            lines = (thread / "status").read_text().splitlines()
            found += sum(int(line.split()[1]) for line in lines if line.startswith("voluntary_ctxt_switches:"))
    return found


def processor_seconds(server: Server) -> float:
    """Return the processor time that a server's workers have taken so far, in seconds."""
    fields = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in children(server.process.pid)]
    return sum(int(each[11]) + int(each[12]) for each in fields) / TICKS  # in its own program, and in the system


def rate(installation: Installation, connections: int) -> float:
    with folio(installation) as server:
        load(server, connections, 1)
        return load(server, connections, SECONDS)


def load(server: Server, connections: int, seconds: float) -> float:
    """Return the requests a second at which a server gives the first page from memory."""
    return wrk(server.url + FIRST, server.key, seconds, connections=connections, headers=BROWSER).rate


if __name__ == "__main__":
    sys.exit(main())
