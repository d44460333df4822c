"""What a backup takes beside `tar` of the same files: `python -m benchmarks.backup [--quick]`.

The installation has 2,000 portfolios and 1 GB of media, on SQLite. `folio backup FILE.tar` and `tar` of its database
and media are run in turns, and the median of each round's quotient is what counts: `folio` has to be loaded, copies the
database at one moment, and computes the SHA-256 of everything. It has all on the disk when it ends, and `tar` has not:
the quotient with `sync` after `tar` is told beside it. Then follow the first and the second backup into a folder, the
check of an archive, and its restore.

The exit status is 1 where the quotient is above the aim, or anything failed.
"""

import shutil
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from pathlib import Path
from statistics import median

from tests.environment import run_folio

from .move import write_files
from .processes import fill

PORTFOLIOS, MEGABYTES, ROUNDS = 2_000, 1_000, 5
QUICK_PORTFOLIOS, QUICK_MEGABYTES, QUICK_ROUNDS = 200, 50, 1
AIM = 1.5
PATIENCE = 1_800  # seconds, on a machine that does much else


def main() -> int:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small, to see that it works; there is no aim then")
    parser.add_argument("--rounds", type=int)
    options = parser.parse_args()
    portfolios, megabytes = (QUICK_PORTFOLIOS, QUICK_MEGABYTES) if options.quick else (PORTFOLIOS, MEGABYTES)
    rounds = options.rounds or (QUICK_ROUNDS if options.quick else ROUNDS)
    with tempfile.TemporaryDirectory(prefix="folio-backup-") as folder:
        place = Path(folder)
        source = place / "source"
        print(f"Filling {portfolios:,} portfolios and {megabytes:,} MB of media ...", flush=True)
        fill(source, portfolios, {})
        files = write_files(source, megabytes * 1_000_000, 1)
        print(f"{files:,} files.", flush=True)
        quotient = compared(source, place, rounds)
        kept(source, place)
    return 0 if options.quick or quotient <= AIM else 1


def compared(source: Path, place: Path, rounds: int) -> float:
    """Print what backups and `tar` take in turns, and return the median quotient."""
    archive, plain = place / "folio.tar", place / "tar.tar"
    backups, tars, synced = [], [], []
    for number in range(-1, rounds):  # the first one, which reads the files into memory, does not count
        for path in (archive, plain):
            path.unlink(missing_ok=True)
        subprocess.run(["sync"], check=True, timeout=PATIENCE)
        taken = folio(source, "backup", str(archive), "--verbosity", "0")
        subprocess.run(["sync"], check=True, timeout=PATIENCE)
        begun = time.monotonic()
        command = ["tar", "-cf", str(plain), "-C", str(source), "folio.sqlite3", "media"]
        subprocess.run(command, check=True, timeout=PATIENCE)
        tar = time.monotonic() - begun
        subprocess.run(["sync"], check=True, timeout=PATIENCE)
        if number >= 0:
            backups.append(taken)
            tars.append(tar)
            synced.append(time.monotonic() - begun)
    quotients = [one / other for one, other in zip(backups, tars, strict=True)]
    with_sync = [one / other for one, other in zip(backups, synced, strict=True)]
    found = median(quotients)
    print(f"folio backup FILE.tar: {median(backups):.2f} s of {archive.stat().st_size / 1e6:,.0f} MB")
    print(f"tar: {median(tars):.2f} s; and sync: {median(synced):.2f} s")
    print(f"quotient: {found:.2f} ({min(quotients):.2f} to {max(quotients):.2f}); with sync {median(with_sync):.2f}")
    plain.unlink()
    return found


def kept(source: Path, place: Path) -> None:
    """Print what backups into a folder take, and a check and a restore."""
    archive, store = place / "folio.tar", place / "store"
    print(f"first backup into a folder: {folio(source, 'backup', str(store), '--verbosity', '0'):.2f} s")
    print(f"second, of nothing new: {folio(source, 'backup', str(store), '--verbosity', '0'):.2f} s", flush=True)
    shutil.rmtree(store)
    restored = place / "restored"
    restored.mkdir()
    print(f"folio restore --verify: {folio(restored, 'restore', str(archive), '--verify'):.2f} s")
    print(f"folio restore: {folio(restored, 'restore', str(archive)):.2f} s", flush=True)


def folio(folder: Path, *arguments: str) -> float:
    """Run a command to its end, and return the seconds that it took; raise SystemExit where it fails."""
    begun = time.monotonic()
    result = run_folio(*arguments, folder=folder, seconds=PATIENCE)
    if result.returncode:
        raise SystemExit(f"folio {arguments[0]} failed: {result.stderr}")
    return time.monotonic() - begun


if __name__ == "__main__":
    sys.exit(main())
