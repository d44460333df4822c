"""What a million portfolios cost a single read: `python -m benchmarks.million [--database postgresql] [--quick]`.

The first page, never asked for before, its count known and its rows' documents ready, is set against that of a thousand
portfolios, for those who manage and for visitors. What a commit costs the read after it, when all is counted anew, is
told beside.
"""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median

from . import report
from .__main__ import FEW, ROUNDS, database_of, tell, variables
from .options import DATABASES, alone, begun, parser_of
from .processes import LIST, PUBLIC_LIST, Installation, fill, folio
from .report import Measure
from .scale import Times, begin_snapshot, times

MADE, COPIES = 20_000, 50
FAR = 900_000
AFTER = 5  # commits of a round, after each of which the first page is asked
AIM = 2.0


def main() -> int:
    options, about = begun(parser_of("million", "Measure a million portfolios."))
    alone()
    with database_of(options.database) as url, tempfile.TemporaryDirectory(prefix="folio-million-") as folder:
        small = filled(Path(folder), url, FEW, 1)
        large = filled(Path(folder), url, MADE, COPIES)
        tell("Measuring single reads")
        found = [measured(each, turn) for turn in range(1 if options.quick else ROUNDS) for each in (small, large)]
    figures = measures(together(found[::2]), together(found[1::2]))
    text = report.table_of(figures, DATABASES[options.database])
    report.write_figures(f"million-{options.database}", text, figures, about)
    print(f"\n{text}\n\nWritten to {report.RESULTS}: million-{options.database}.json and .md")
    return 0


def filled(folder: Path, url: str | None, portfolios: int, copies: int) -> Installation:
    count = portfolios * copies
    tell(f"Filling a database with {count:,} portfolios")
    own = {**variables(url, f"of_{count}"), "FOLIO_PUBLIC_READ": "true", "FOLIO_TASKS_SECONDS": "3600"}
    made = fill(folder / str(count), portfolios, own, copies, module="benchmarks.copies")
    made.portfolios = count
    return made


def measured(installation: Installation, turn: int) -> Times:
    """Return what single reads take in milliseconds, by a server that has just started."""
    with folio(installation) as served, served.client() as client:

        def after_commit(path: str) -> float:
            taken = []
            for number in range(AFTER):
                begin_snapshot(client, AFTER * turn + number)
                taken.append(client.time(path))
            return median(taken)

        ways: dict[str, Callable[[], float]] = {
            "first page": lambda: median(times(client, "", range(5))),
            "public first page": lambda: median(times(client, "", range(5), PUBLIC_LIST)),
            "after a commit": lambda: after_commit(f"{LIST}?limit=10"),
            "public, after a commit": lambda: after_commit(f"{PUBLIC_LIST}?limit=10"),
        }
        if installation.portfolios > FAR:
            ways["far back"] = lambda: median(times(client, "", range(FAR, FAR + 5)))
        found: Times = {}
        for name, way in ways.items():
            begin_snapshot(client, turn)
            found[name] = [way()]
        return found


def together(rounds: list[Times]) -> Times:
    return {name: [value for each in rounds for value in each[name]] for name in rounds[0]}


def measures(small: Times, large: Times) -> list[Measure]:
    def ratio(name: str, one: list[float], two: list[float], at_most: float | None = None) -> Measure:
        return Measure(name, [a / b for a, b in zip(one, two, strict=True)], at_most=at_most)

    first, public = "first page", "public first page"
    return [
        ratio("first page of 1,000,000 ÷ of 1,000, never asked before", large[first], small[first], AIM),
        ratio("visitors' first page of 1,000,000 ÷ of 1,000, never asked before", large[public], small[public], AIM),
        Measure("first page of 1,000,000, never asked before", large[first], "ms"),
        ratio("offset 900,000 ÷ first page, never asked before", large["far back"], large[first]),
        Measure("first page of 1,000, after a commit", small["after a commit"], "ms"),
        Measure("first page of 1,000,000, after a commit", large["after a commit"], "ms"),
        Measure("visitors' first page of 1,000,000, after a commit", large["public, after a commit"], "ms"),
    ]


if __name__ == "__main__":
    sys.exit(main())
