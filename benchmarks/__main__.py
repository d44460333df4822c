"""Measure Folio's reads and writes in one run: `python -m benchmarks [--database postgresql] [--quick] [--rates]`.

Two others run on the same machine, in the same rounds, by the same HTTP server with one worker: *wire* answers with the
same bytes from memory, and *usual* is the same API built the usual way on the same tables.
"""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg

from tests.postgresql import find_binaries, temporary_server

from . import best, footprint, machine, rates, report, scale, search
from .data import PLAIN
from .options import DATABASES, alone, begun, parser_of
from .processes import Installation, fill

PORTFOLIOS = 2_000
FEW, MANY = 1_000, 100_000
ROUNDS, SECONDS = 5, 3  # of each participant's turn; sixteen of the usual way's answers at once take one to two


def main() -> int:
    parser = parser_of("", "Measure Folio beside others.")
    parser.add_argument("--rates", action="store_true", help="requests a second alone, without large tables and memory")
    options, about = begun(parser)
    alone()
    with database_of(options.database) as url, tempfile.TemporaryDirectory(prefix="folio-benchmarks-") as folder:
        rounds, name = 1 if options.quick else ROUNDS, DATABASES[options.database]
        if options.rates:
            rates_found, settings = measured_rates(Path(folder), url, rounds, SECONDS)
            figures = report.rate_measures(rates_found)
            text = f"{report.table_of_rates(rates_found, settings, name)}\n\n{report.table_of(figures, name)}"
            report.write_figures(f"{options.database}-rates", text, figures, about)
            print(f"\n{text}\n\nWritten to {report.RESULTS}: {options.database}-rates.json and .md")
            return 0
        found = measured(Path(folder), url, rounds, SECONDS)
    print(f"\n{report.write(found, name, about)}\n")
    print(f"Written to {report.RESULTS}: {options.database}.json, .md and .png")
    return 0


def made(folder: Path, database_url: str | None, portfolios: int, *options: str) -> Installation:
    name = "".join([str(portfolios), *(option.replace("--", "_") for option in options)])
    tell(f"Filling a database with {portfolios:,} portfolios")
    return fill(folder / name, portfolios, variables(database_url, name), *options)


def measured_rates(
    folder: Path, database_url: str | None, rounds: int, seconds: int
) -> tuple[rates.Rates, dict[str, best.Setting]]:
    """Return the requests a second of reads and writes, and what the usual way did most with."""
    middle, plain = (made(folder, database_url, PORTFOLIOS, *options) for options in ((), (PLAIN,)))
    tell("Measuring reads")
    reads, best_of_reads = rates.read_rates(middle, plain, rounds, seconds, database_url)
    tell("Measuring writes")
    writes, best_of_writes = rates.write_rates(middle, rounds, seconds)
    return reads | writes, best_of_reads | best_of_writes


def measured(folder: Path, database_url: str | None, rounds: int, seconds: int) -> report.Found:
    middle, plain = (made(folder, database_url, PORTFOLIOS, *options) for options in ((), (PLAIN,)))
    small, large = (made(folder, database_url, portfolios) for portfolios in (FEW, MANY))
    tell("Measuring reads")
    reads, best_of_reads = rates.read_rates(middle, plain, rounds, seconds, database_url)
    tell(f"Measuring pages and filters of {MANY:,}")
    pages = {installation.portfolios: scale.page_times(installation, rounds) for installation in (small, large)}
    filters = scale.filter_times(large, rounds)
    searches = search.search_times(large, rounds)
    usual = scale.usual_times(large)
    tell("Measuring sizes, starts and memory")
    shares = footprint.compressed_shares(middle)
    starts = footprint.start_times(middle, rounds)
    memory = footprint.worker_memory(large, 3 * seconds)
    tell("Measuring writes")
    writes, best_of_writes = rates.write_rates(middle, rounds, seconds)
    return report.Found(
        reads | writes,
        best_of_reads | best_of_writes,
        pages[FEW],
        pages[MANY],
        filters,
        searches,
        usual,
        shares,
        memory,
        starts,
    )


def tell(line: str) -> None:
    print(f"{line} ...", flush=True)


@contextmanager
def database_of(database: str) -> Iterator[str | None]:
    """Yield the URL of a PostgreSQL server that runs on the servers' core; None for SQLite."""
    binaries = find_binaries()
    if database == "sqlite" or binaries is None:
        yield None
        return
    with ExitStack() as stack:
        with machine.on_core(machine.cores()[0]):
            server = stack.enter_context(temporary_server(binaries))
        yield server.url


def variables(database_url: str | None, installation: str) -> dict[str, str]:
    """Return the environment of an installation; on PostgreSQL, its database is made."""
    if database_url is None:
        return {}
    name = f"folio_bench_{installation}"
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return {"DATABASE_URL": f"{database_url.rpartition('/')[0]}/{name}"}


if __name__ == "__main__":
    sys.exit(main())
