"""How much memory processes take."""

import os
import subprocess
from contextlib import suppress
from pathlib import Path


def resident_memory(pid: int | None) -> int:
    """Return the bytes of memory that a process takes, shared ones among them; 0 where it can't be told."""
    with suppress(OSError):
        pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")
    with suppress(OSError, ValueError, subprocess.SubprocessError):
        command = ["ps", "-o", "rss=", "-p", str(pid)]
        told = subprocess.run(command, capture_output=True, text=True, timeout=5)  # noqa: S603 - the system's, of no user's words
        return int(told.stdout) * 1024
    return 0
