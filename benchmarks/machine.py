"""The machine that is measured on, and which of its cores does what."""

import os
import platform
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any


@cache
def cores() -> tuple[int, int]:
    """Return the core of the servers and their database, and the one of the load; the same where there is but one."""
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[0], allowed[-1] if len(allowed) < 3 else allowed[1]


def pinned(core: int, *command: str) -> list[str]:
    """Return a command that runs on one core."""
    return ["taskset", "--cpu-list", str(core), *command]


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """Let what is started meanwhile run on one core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def missing_tools() -> list[str]:
    """Return what has to be installed first, with how."""
    needed = {"wrk": "wrk", "taskset": "util-linux"}
    return [
        f"{tool} is not installed (Debian: apt-get install {package})."
        for tool, package in needed.items()
        if shutil.which(tool) is None
    ]


def description() -> dict[str, Any]:
    server, load = cores()
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "system": platform.platform(terse=True),
        "python": sys.version.split()[0],
        "sqlite": sqlite3.sqlite_version,
        **{name: version(name) for name in ("granian", "django", "djangorestframework", "msgspec")},
        "server_core": server,
        "load_core": load,
        "load_average": round(os.getloadavg()[0], 2),
    }


def processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def summary(machine: dict[str, Any]) -> str:
    """Return the machine in a sentence or two."""
    return (
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gb']} GB, {machine['system']}, "
        f"Python {machine['python']}, granian {machine['granian']}, SQLite {machine['sqlite']}. "
        f"Servers and database on core {machine['server_core']}, load on core {machine['load_core']}; "
        f"load average at the start {machine['load_average']}."
    )
