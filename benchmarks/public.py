"""Measure what visitors read: `python -m benchmarks.public [--database postgresql] [--quick] [--rates]`.

In the same rounds run *wire*, which answers with the same bytes from memory, and *usual*, the managing API built the
usual way on the same tables. All are served by the same HTTP server with one worker.
"""

import sys
import tempfile
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any

from . import manifest, report
from .__main__ import MANY, PORTFOLIOS, ROUNDS, SECONDS, database_of, made, tell
from .load import CONNECTIONS, Client, Load, wrk
from .options import DATABASES, alone, begun, parser_of
from .processes import LIST, PUBLIC_LIST, Installation, folio, usual_of
from .rates import BROWSER, ROWS, Content, Rates, in_turns, make_ready, same, wire_of
from .report import Measure
from .scale import Times, begin_snapshot, times

FIRST = f"{PUBLIC_LIST}?limit={ROWS}"
FACETS = "/api/public/facets/"
COLD, FRESH = 40, 20  # requests of a round: with no document in memory, and never asked before


def main() -> int:
    parser = parser_of("public", "Measure what visitors read.")
    parser.add_argument("--rates", action="store_true", help="requests a second alone, without large tables")
    options, about = begun(parser)
    alone()
    with database_of(options.database) as url, tempfile.TemporaryDirectory(prefix="folio-benchmarks-") as folder:
        rounds = 1 if options.quick else ROUNDS
        middle = opened(Path(folder), url, PORTFOLIOS)
        tell("Measuring what visitors read")
        rates, best = read_rates(middle, rounds, SECONDS)
        table = report.table_of_rates(rates, best, DATABASES[options.database])
        if options.rates:
            figures = rate_measures(rates)
            write(f"public-{options.database}-rates", table, figures, options.database, about)
            return 0
        more, large = (opened(Path(folder), url, each) for each in (manifest.MORE, MANY))
        tell("Measuring pages with no document in memory")
        cold = cold_times(middle, rounds)
        tell("Measuring manifests")
        manifests = [manifest.times(installation, rounds) for installation in (middle, more)]
        tell(f"Measuring facets of {MANY:,}")
        facets = facet_times(large, rounds)
    figures = [*rate_measures(rates), *measures(cold, facets), *manifest.measures(*manifests)]
    write(f"public-{options.database}", table, figures, options.database, about)
    return 0


def opened(folder: Path, url: str | None, portfolios: int) -> Installation:
    """Return an installation that visitors may read."""
    installation = made(folder, url, portfolios)
    installation.variables.update(manifest.OPEN)
    return installation


def write(name: str, table: str, figures: list[Measure], database: str, about: dict[str, Any]) -> None:
    text = f"{table}\n\n{report.table_of(figures, DATABASES[database])}"
    report.write_figures(name, text, figures, about)
    print(f"\n{text}\n\nWritten to {report.RESULTS}: {name}.json and .md")


def read_rates(installation: Installation, rounds: int, seconds: float) -> tuple[Rates, dict[str, Any]]:
    """Return the loads of all reads, round by round, and what the usual way was given."""
    with ExitStack() as stack:
        content = Content(stack, installation)
        served = content.served
        usual = content.reads(seconds)
        with served.client() as client:
            slug = client.get(FIRST).json()["results"][0]["slug"]
        wire = stack.enter_context(wire_of(served, installation, BROWSER, FIRST))
        wire_of_manifest = stack.enter_context(wire_of(served, installation, BROWSER, manifest.MANIFEST))

        def pages(turn: int, seconds: float) -> Load:
            path = f"{PUBLIC_LIST}?exclude=never-{turn}"
            make_ready(served, path, installation.portfolios)
            with served.client() as client:
                offsets = client.get(FIRST).json()["count"] - ROWS
            return wrk(served.url + path, "", seconds, "pages", offsets, ROWS, 1, connections=CONNECTIONS,
                       headers=BROWSER)  # fmt: skip

        def asked(turn: int, seconds: float) -> Load:
            with served.client() as client:
                client.get(manifest.MANIFEST)
            return wrk(served.url + manifest.MANIFEST, "", seconds, headers=BROWSER)

        ways = {
            **{name: usual[name] for name in ("usual list", "usual detail")},
            "wire": same(wire, "/"),  # just before what it is compared with: the machine's speed wavers
            "public list asked before": public(served.url + FIRST),
            "public list never asked before": pages,
            "public entry asked before": public(f"{served.url}{PUBLIC_LIST}{slug}/"),
            "wire of a manifest's size": same(wire_of_manifest, "/"),
            "manifest asked before": asked,
            "public facets asked before": public(f"{served.url}{FACETS}"),
        }
        best = {f"usual {kind}": found for kind, found in content.best.items()}
        return in_turns(ways, rounds, seconds), best


def public(url: str) -> Any:
    """Return a turn that reads an address again and again, without a key."""
    return lambda turn, seconds: wrk(url, "", seconds, headers=BROWSER)


def cold_times(installation: Installation, rounds: int) -> Times:
    """Return what lists take right after a change, when no document lies in memory, and the usual list."""
    found: Times = {"public list": [], "managing list": [], "usual list": []}
    changes = count()
    with (
        folio(installation) as served,
        usual_of(installation) as usual,
        served.client() as client,
        usual.client() as other,
    ):
        paths = {"public list": FIRST, "managing list": f"{LIST}?limit={ROWS}"}
        for _ in range(rounds):
            taken: dict[str, list[float]] = {name: [] for name in found}
            for _ in range(COLD):
                for name, path in paths.items():
                    begin_snapshot(client, next(changes))
                    taken[name].append(client.time(path))
                taken["usual list"].append(other.time(f"{LIST}?limit={ROWS}"))
            for name, each in taken.items():
                found[name].append(median(each))
    return found


def facet_times(installation: Installation, rounds: int) -> Times:
    """Return what facets and the first page take that were never asked before, in a content of many rows."""
    found: Times = {"first page": [], "facets": [], "facets of a tag": []}
    never = count()
    with folio(installation) as served, served.client() as client:
        tag = client.get(FACETS).json()["tags"][-1]["slug"]
        for turn in range(rounds):
            begin_snapshot(client, turn)
            found["first page"].append(median(times(client, "", range(5), PUBLIC_LIST)))
            found["facets"].append(fresh(client, f"{FACETS}?exclude=never", never))
            found["facets of a tag"].append(fresh(client, f"{FACETS}?tag={tag}&exclude=never", never))
    return found


def fresh(client: Client, path: str, never: Any) -> float:
    return median(client.time(f"{path}-{next(never)}") for _ in range(FRESH))


def rate_measures(rates: Rates) -> list[Measure]:
    def rate(name: str, other: str, at_least: float | None = None) -> Measure:
        pairs = zip(rates[name], rates[other], strict=True)
        return Measure(f"{name} ÷ {other}", [one.rate / two.rate for one, two in pairs], at_least=at_least)

    return [
        rate("public list asked before", "wire", 0.5),
        rate("public list asked before", "usual list"),
        rate("public list never asked before", "usual list", 12),
        rate("public entry asked before", "usual detail", 200),
        rate("manifest asked before", "wire of a manifest's size", 0.5),
        rate("public facets asked before", "public list asked before"),
    ]


def measures(cold: Times, facets: Times) -> list[Measure]:
    def time(name: str, one: list[float], two: list[float], **aim: Any) -> Measure:
        return Measure(name, [a / b for a, b in zip(one, two, strict=True)], **aim)

    return [
        time(
            "public list with no document in memory ÷ usual list", cold["usual list"], cold["public list"], at_least=3
        ),
        time("list with no document in memory ÷ usual list", cold["usual list"], cold["managing list"]),
        time(
            f"facets of {MANY:,} ÷ first page, never asked before", facets["facets"], facets["first page"], at_most=10
        ),
        time("facets of a tag ÷ first page, never asked before", facets["facets of a tag"], facets["first page"]),
        Measure(f"facets of {MANY:,}, never asked before", facets["facets"], "ms"),
    ]


if __name__ == "__main__":
    sys.exit(main())
