"""What the commands of this package have in common: their flags, and how each begins."""

import os
import sys
from argparse import ArgumentParser, Namespace
from typing import Any

from tests.postgresql import UNAVAILABLE, find_binaries

from . import machine

DATABASES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


def parser_of(name: str, description: str) -> ArgumentParser:
    parser = ArgumentParser(prog=f"python -m benchmarks{name and f'.{name}'}", description=description)
    parser.add_argument("--database", choices=DATABASES, default="sqlite")
    parser.add_argument("--quick", action="store_true", help="one round, to see that it works")
    return parser


def begun(parser: ArgumentParser) -> tuple[Namespace, dict[str, Any]]:
    """Return the flags, and what this machine is; `alone` then leaves one of its cores to what is measured.

    Raises SystemExit, with UNAVAILABLE where there is no PostgreSQL to measure, and with 1 where a tool is missing.
    """
    options = parser.parse_args()
    if missing := machine.missing_tools():
        print("\n".join(missing), file=sys.stderr)
        raise SystemExit(1)
    if options.database == "postgresql" and find_binaries() is None:
        print("PostgreSQL is not installed (Debian: apt-get install postgresql-15).", file=sys.stderr)
        raise SystemExit(UNAVAILABLE)
    about = machine.description()
    print(machine.summary(about))
    return options, about


def alone() -> None:
    """Keep this process to the core that servers are not on."""
    os.sched_setaffinity(0, {machine.cores()[1]})
