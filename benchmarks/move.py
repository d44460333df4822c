"""A move from SQLite and local files to PostgreSQL and S3: `python -m benchmarks.move [--quick]`.

It is done in parts, for the seconds of each: the rows alone, the files alone. Then everything is moved at once, killed
with half of the files there, and begun again: all has to be there afterwards, and nothing is copied twice. S3 is moto's
server on this machine, whose time is most of that of the files: what counts of a real one is its line.

The exit status is 1 if anything was wrong, and 69 where PostgreSQL is not installed.
"""

import hashlib
import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg

from tests.environment import ROOT, environment
from tests.live import create_database, url_of
from tests.postgresql import UNAVAILABLE, find_binaries, temporary_server
from tests.s3 import CREDENTIALS, S3, running_s3

from .processes import fill

PORTFOLIOS, MEGABYTES = 2_000, 1_000
QUICK_PORTFOLIOS, QUICK_MEGABYTES = 200, 50
ORIGINALS = 0.8  # of all bytes, where there are thumbnails
PATIENCE = 1_800  # seconds for a move, on a machine that does much else
SEED = 20_260_101


def main() -> int:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--portfolios", type=int, default=PORTFOLIOS)
    parser.add_argument("--megabytes", type=int, default=MEGABYTES, help="of files")
    parser.add_argument("--thumbnails", action="store_true", help="four more files of each picture: 10,000 in all")
    parser.add_argument("--quick", action="store_true", help="small, to see that it works")
    options = parser.parse_args()
    if options.quick:
        options.portfolios, options.megabytes = QUICK_PORTFOLIOS, QUICK_MEGABYTES
    binaries = find_binaries()
    if binaries is None:
        print("PostgreSQL is not installed (Debian: apt-get install postgresql-15).", file=sys.stderr)
        return UNAVAILABLE
    with (
        tempfile.TemporaryDirectory(prefix="folio-move-") as folder,
        temporary_server(binaries) as postgresql,
        running_s3() as s3,
    ):
        source = Path(folder) / "source"
        print(f"Filling {options.portfolios:,} portfolios and {options.megabytes:,} MB of files ...", flush=True)
        fill(source, options.portfolios, {})
        files = write_files(source, options.megabytes * 1_000_000, ORIGINALS if options.thumbnails else 1)
        print(f"{files:,} files.", flush=True)
        for name in ("rows", "all"):
            create_database(postgresql.url, name)
        problems = [
            *timed("The rows alone", source, "--to", url_of(postgresql.url, "rows")),
            *timed("The files alone", source, "--media", s3.url("files")),
            *killed(source, s3, files, url_of(postgresql.url, "all")),
        ]
        if (left := len(s3.names("files"))) != files:
            problems.append(f"Of {files:,} files {left:,} arrived.")
        with psycopg.connect(url_of(postgresql.url, "all")) as connection:
            row = connection.execute("SELECT count(*) FROM portfolios_portfolio").fetchone()
        if row != (options.portfolios,):
            problems.append(f"Of {options.portfolios:,} portfolios {row} arrived.")
    for problem in problems:
        print(f"WRONG: {problem}", file=sys.stderr)
    return 1 if problems else 0


def write_files(source: Path, size: int, originals: float) -> int:
    """Write the files that the rows name, and their digests and sizes into the rows; return how many there are.

    `originals` is their share of the bytes; thumbnails that have none have no rows either.
    """
    chance = random.Random(SEED)
    with closing(sqlite3.connect(source / "folio.sqlite3")) as database, database:
        if originals == 1:
            database.execute("DELETE FROM media_thumbnail")
        media = [name for (name,) in database.execute("SELECT file FROM media_media")]
        thumbnails = [name for (name,) in database.execute("SELECT file FROM media_thumbnail")]
        for names, share in ((media, originals), (thumbnails, 1 - originals)):
            for name in names:
                content = chance.randbytes(int(size * share / len(names)))
                path = source / "media" / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
                facts = (len(content), hashlib.sha256(content).hexdigest(), name)
                database.execute("UPDATE media_media SET size = ?, sha256 = ? WHERE file = ?", facts)
    return len(media) + len(thumbnails)


@contextmanager
def moving(source: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "folio", "move", *arguments],
        env=environment(source, PYTHONPATH=str(ROOT), **CREDENTIALS),
        cwd=source,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def timed(what: str, source: Path, *arguments: str, expected: str = "") -> list[str]:
    """Move, print the seconds, and return what was wrong."""
    begun = time.monotonic()
    with moving(source, *arguments) as process:
        output, error = process.communicate(timeout=PATIENCE)
    used = time.monotonic() - begun
    print(f"{what}: {used:.1f} s", flush=True)
    for line in re.findall(r"^(?:Files|All) .*|^Files: .*", output, flags=re.MULTILINE):
        print(f"  {line}", flush=True)
    problems = [] if process.returncode == 0 else [f"{what}: {error.strip()}"]
    return problems if re.search(expected, output) else [*problems, f"{what}: {output.strip()}"]


def killed(source: Path, s3: S3, files: int, url: str) -> list[str]:
    """Move everything, kill that when half of the files are there, and begin again."""
    arguments = ("--to", url, "--media", s3.url("all"))
    begun = time.monotonic()
    with moving(source, *arguments) as process:
        while (there := len(s3.names("all"))) < files / 2:
            if process.poll() is not None or time.monotonic() > begun + PATIENCE:
                return ["It ended, or took too long, before it could be killed."]
            time.sleep(1)
        os.kill(process.pid, signal.SIGKILL)
        process.wait(20)
    there = len(s3.names("all"))
    print(f"Everything, killed after {time.monotonic() - begun:.1f} s with {there:,} files there", flush=True)
    problems = timed("Begun again", source, *arguments, expected=f"{there:,} of them were there")
    left = len(s3.names("all"))
    return problems if left == files else [*problems, f"Of {files:,} files {left:,} arrived after a kill."]


if __name__ == "__main__":
    sys.exit(main())
