"""What searches cost that were never asked before: single requests, one after another, in milliseconds.

`python -m benchmarks.search PORTFOLIOS [--database postgresql]` fills a database and measures these alone.
"""

import json
import os
import sys
import tempfile
from argparse import ArgumentParser
from contextlib import ExitStack
from dataclasses import replace
from itertools import count
from pathlib import Path
from statistics import median

from .data import HALF, RARE
from .processes import LIST, Installation, folio
from .scale import Times, begin_snapshot

PUBLIC = "/api/public/portfolios/"
ADDRESSES = {"managing": LIST, "public": PUBLIC}
ASKED = 9  # times in each round, each with another text for the same
ROWS = 10
ONE, THREE = "one rare word", "three rare words"
RARELY = (ONE, THREE)  # what matches one percent at the most
SEARCHES = {
    ONE: [min(RARE, key=RARE.__getitem__)],  # in a hundredth of all, where the limit is tightest
    THREE: list(RARE),
    "no such word": ["nowhere"],
    "a word with an error": [f"{max(RARE)[:-1]}q"],
    "two rare words and a common one": [*list(RARE)[:2], "harbour"],
    "a common word": ["harbour"],
    "a word that half have": [HALF],
    "three letters that are common": ["har"],
    "two letters": ["ha"],
}
numbers = count(1)


def search_times(installation: Installation, rounds: int) -> Times:
    """Return the times of first pages and of searches at both addresses, by the address and what is searched.

    The rows' documents are ready, as for a first page that was never asked for; the count is not.
    """
    # No pictures are made ahead: there are none, and looking for each would take the core that is measured.
    variables = {**installation.variables, "FOLIO_PUBLIC_READ": "true", "FOLIO_IMAGE_WIDTHS": ""}
    opened = replace(installation, variables=variables)
    found: Times = {}
    with folio(opened) as served, served.client() as client:
        for turn in range(rounds):
            begin_snapshot(client, turn)
            for name, path in ADDRESSES.items():
                client.get(f"{path}?limit=100")
                pages = [client.time(f"{path}?limit={ROWS}&offset={offset}") for offset in range(ASKED)]
                found.setdefault(f"{name}, first page", []).append(median(pages))
                for what, words in SEARCHES.items():
                    client.get(f"{path}?search={asked(words)}&limit={ROWS}")
                    times = [client.time(f"{path}?search={asked(words)}&limit={ROWS}") for _ in range(ASKED)]
                    found.setdefault(f"{name}, {what}", []).append(median(times))
    return found


def asked(words: list[str]) -> str:
    """Return a text that was never searched for, and finds the same as any other of these words."""
    return "+".join(words) + "-" * next(numbers)  # no text has a hyphen once it is folded


def ratios(found: Times) -> dict[str, list[float]]:
    """Return each search's times divided by those of its address's first page."""
    return {
        name: [one / two for one, two in zip(times, found[f"{name.split(',')[0]}, first page"], strict=True)]
        for name, times in found.items()
        if not name.endswith("first page")
    }


def filled(folder: Path, url: str | None, portfolios: int) -> Installation:
    """Return an installation with so many portfolios; the one that an earlier run has left in the folder, if any."""
    from . import __main__ as program

    note = folder / f"{portfolios}.json"
    if note.exists():
        return Installation(folder / str(portfolios), portfolios, **json.loads(note.read_text()))
    installation = program.made(folder, url, portfolios)
    note.write_text(json.dumps({"variables": installation.variables, "key": installation.key}))
    return installation


def main() -> None:
    from . import __main__ as program
    from .options import DATABASES

    parser = ArgumentParser(prog="python -m benchmarks.search", description=__doc__)
    parser.add_argument("portfolios", type=int)
    parser.add_argument("--database", choices=DATABASES, default="sqlite")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--keep", type=Path, help="a folder in which the filled SQLite database stays for another run")
    options = parser.parse_args()
    with program.database_of(options.database) as url, ExitStack() as stack:
        folder = options.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="folio-search-")))
        found = search_times(filled(folder, url, options.portfolios), options.rounds)
    lines = [f"{name}: {median(times):.2f} ms" for name, times in found.items() if name.endswith("first page")]
    lines += [f"{name}: {median(each):.2f} ×" for name, each in ratios(found).items()]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "folio.settings")
    main()
