"""The manifest: what it takes when nobody has asked since a change, and what memory that needs.

`python -m benchmarks.manifest [--database postgresql] [--quick]` measures it alone; `benchmarks.public` has its figures
too, and how often it is answered when it was asked before.
"""

import sys
import tempfile
from pathlib import Path
from statistics import median

from . import report
from .__main__ import PORTFOLIOS, ROUNDS, database_of, made, tell
from .load import Client
from .options import DATABASES, alone, begun, parser_of
from .processes import PUBLIC_LIST, Installation, folio
from .report import Measure
from .scale import Times, begin_snapshot

MANIFEST = "/api/public/manifest/"
MORE = 10_000  # portfolios
ENTRIES = f"{PUBLIC_LIST}?include=description,gallery,links,meta,share_image&limit=100"
OPEN = {"FOLIO_PUBLIC_READ": "true", "FOLIO_TASKS_SECONDS": "3600"}  # nothing else is done meanwhile
CHANGES = 5  # of a round


def times(installation: Installation, rounds: int) -> Times:
    """Return the milliseconds for an entry of a manifest, and the MB by which it made the worker grow.

    All of its pages are asked for after a change: the first one has to be made anew, the second one is the same after
    another entry was changed. Beside it, what lists take for an entry with the same parts, a hundred at a time.
    """
    found: Times = {"manifest": [], "lists": [], "growth": [], "whole": []}
    with folio(installation) as served, served.client() as client:
        count = client.get(f"{PUBLIC_LIST}?limit=1").json()["count"]
        begin_snapshot(client, 0)
        read(client, MANIFEST)  # what the first one loads is not of its size
        before = served.worker_memory()
        for turn in range(1, rounds + 1):
            taken: dict[str, list[float]] = {"manifest": [], "lists": []}
            for change in range(CHANGES):
                begin_snapshot(client, turn * 1000 + change)
                taken["manifest"].append(read(client, MANIFEST))
                found["growth"].append(served.worker_memory() - before)
                begin_snapshot(client, turn * 1000 + change + 500)
                taken["lists"].append(sum(client.time(f"{ENTRIES}&offset={start}") for start in range(0, 1000, 100)))
            found["manifest"].append(median(taken["manifest"]) / count)
            found["whole"].append(median(taken["manifest"]))
            found["lists"].append(median(taken["lists"]) / 1000)
    return found


def read(client: Client, path: str) -> float:
    """Return the milliseconds that all pages of a manifest take."""
    count = client.get(f"{PUBLIC_LIST}?limit=1").json()["count"]
    return sum(client.time(f"{path}?offset={start}") for start in range(0, count, 1000))


def measures(few: Times, many: Times) -> list[Measure]:
    def ratio(name: str, one: list[float], two: list[float], at_most: float | None = None) -> Measure:
        return Measure(name, [a / b for a, b in zip(one, two, strict=True)], at_most=at_most)

    return [
        Measure(f"manifest of {PORTFOLIOS:,}, after a change", few["whole"], "ms"),
        Measure(f"manifest of {MORE:,}, after a change", many["whole"], "ms"),
        ratio(
            f"manifest of {MORE:,} ÷ of {PORTFOLIOS:,}, after a change, for an entry",
            many["manifest"],
            few["manifest"],
            at_most=1.5,
        ),
        ratio("manifest ÷ lists of whole entries, after a change, for an entry", few["manifest"], few["lists"]),
        Measure(f"growth of a worker, manifests of {MORE:,}", [max(many["growth"])], "MB", at_most=60),
    ]


def main() -> int:
    options, about = begun(parser_of("manifest", "Measure manifests after a change."))
    alone()
    with database_of(options.database) as url, tempfile.TemporaryDirectory(prefix="folio-benchmarks-") as folder:
        rounds = 1 if options.quick else ROUNDS
        few, many = (made(Path(folder), url, portfolios) for portfolios in (PORTFOLIOS, MORE))
        tell("Measuring manifests")
        found = [measured(installation, rounds) for installation in (few, many)]
    text = report.table_of(measures(*found), DATABASES[options.database])
    report.write_figures(f"manifest-{options.database}", text, measures(*found), about)
    print(f"\n{text}")
    return 0


def measured(installation: Installation, rounds: int) -> Times:
    installation.variables.update(OPEN)
    return times(installation, rounds)


if __name__ == "__main__":
    sys.exit(main())
