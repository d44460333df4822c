"""What metrics and the log of each request cost a list that was asked before: `python -m benchmarks.metrics`.

Four servers of one installation, without either, with each and with both, take their turns in each round, asked by wrk
with as many connections as elsewhere. The exit status is 1 where both together cost more than a tenth.
"""

import sys
import tempfile
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from . import report
from .__main__ import database_of, made
from .options import DATABASES, alone, begun, parser_of
from .processes import folio
from .rates import FIRST, Rates, Ways, in_turns, same
from .report import Measure

PORTFOLIOS = 200
ROUNDS, SECONDS = 7, 3
NEITHER, BOTH = "neither", "both"
METRICS, LOG = {"FOLIO_METRICS_TOKEN": "a-token-of-the-benchmarks"}, {"FOLIO_ACCESS_LOG": "on"}
KINDS = {NEITHER: {}, "metrics": METRICS, "log": LOG, BOTH: {**METRICS, **LOG}}
MOST = 1.10  # times the time of a request that it may take with both


def main() -> int:
    options, about = begun(parser_of(".metrics", "Measure what metrics and the log of requests cost."))
    alone()
    name = DATABASES[options.database]
    with (
        database_of(options.database) as url,
        tempfile.TemporaryDirectory(prefix="folio-benchmarks-") as folder,
        ExitStack() as stack,
    ):
        installation = made(Path(folder), url, PORTFOLIOS)
        ways: Ways = {}
        for kind, variables in KINDS.items():
            served = replace(installation, variables={**installation.variables, **variables})
            ways[kind] = same(stack.enter_context(folio(served)), FIRST)
        rates = in_turns(ways, 1 if options.quick else ROUNDS, SECONDS)
    figures = measures(rates)
    text = f"{table_of_rates(rates)}\n\n{report.table_of(figures, name)}"
    report.write_figures(f"{options.database}-metrics", text, figures, about)
    print(f"\n{text}\n\nWritten to {report.RESULTS}: {options.database}-metrics.json and .md")
    return 0 if all(figure.is_reached is not False for figure in figures) else 1


def measures(rates: Rates) -> list[Measure]:
    """Return how many times as long a request takes, round by round."""

    def ratio(name: str, at_most: float | None = None) -> Measure:
        pairs = zip(rates[NEITHER], rates[name], strict=True)
        values = [without.rate / load.rate for without, load in pairs]
        return Measure(f"list asked before, {name} ÷ {NEITHER}", values, at_most=at_most)

    return [ratio("metrics"), ratio("log"), ratio(BOTH, MOST)]


def table_of_rates(rates: Rates) -> str:
    lines = ["| list asked before, with | requests a second, lowest to highest |", "|---|---:|"]
    for name, loads in rates.items():
        each = [load.rate for load in loads]
        lines.append(f"| {name} | {min(each):,.0f} to {max(each):,.0f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
