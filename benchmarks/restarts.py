"""Two servers behind nginx that are restarted in turn under load: `python -m benchmarks.restarts [--restarts 20]`.

Clients read, write and upload all the while, through nginx with `deploy/nginx.conf`. None of their requests may be
refused, cut off or answered by an error, and nothing that was acknowledged may be missing afterwards. A rolling restart
is one of each server, the second once the first answers again. The database is that of `DATABASE_URL`, else SQLite.

The exit status is 1 if anything was noticed, and 69 where nginx is not installed.
"""

import sys
import time
from argparse import ArgumentParser

from tests.environment import run_folio
from tests.nginx import Front, behind_nginx, nginx_path
from tests.postgresql import UNAVAILABLE
from tests.rolling import Load

BETWEEN = 0.3  # seconds of load between two restarts
SHOWN = 20  # failures


def main() -> int:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--restarts", type=int, default=20, help="rolling restarts, of each server one")
    parser.add_argument("--workers", type=int, default=1, help="of each server")
    options = parser.parse_args()
    if nginx_path() is None:
        print("nginx is not installed (Debian: apt-get install nginx-light).", file=sys.stderr)
        return UNAVAILABLE
    with behind_nginx("--workers", str(options.workers)) as front:
        load = Load(front)
        start = time.monotonic()
        load.start()
        for _ in range(options.restarts):
            for backend in front.backends:
                time.sleep(BETWEEN)
                backend.restart()
        time.sleep(BETWEEN)
        load.stop()
        seconds = time.monotonic() - start
        forgotten = [] if load.failures else what_is_forgotten(front, load)
        counts = ", ".join(f"{count:,} {kind}" for kind, count in sorted(load.counts.items()))
        print(f"{options.restarts} rolling restarts of two servers in {seconds:.0f} s, beside {counts}.")
        print(f"The longest request took {load.longest:.2f} s.")
        print(f"Refused, cut off or answered by an error: {len(load.failures)}. Forgotten: {len(forgotten)}.")
        for line in [*load.failures[:SHOWN], *forgotten[:SHOWN]]:
            print(f"  {line}")
        if not min(load.counts[kind] for kind in ("reads", "writes", "uploads")):
            print("Nothing was asked.")
            return 1
        return 1 if load.failures or forgotten else 0


def what_is_forgotten(front: Front, load: Load) -> list[str]:
    """Return what was acknowledged and is not there, and what `folio checkmedia` finds wrong."""
    checked = run_folio("checkmedia", "--min-age", "0", folder=front.data, variables=front.variables)
    return [*load.forgotten(), *([checked.stdout] if checked.returncode else [])]


if __name__ == "__main__":
    sys.exit(main())
