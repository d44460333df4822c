"""The process that makes a backup which is due: `maker` starts it, and it ends with whoever did."""

import os
import signal
import sys
import threading
from contextlib import suppress
from typing import Any

NICE = 10  # how far it gives way to those who answer requests
INTERRUPTED = 130


def end_with_parent() -> None:
    """Wait for the end of the input, whose other end is the parent's, and have this process end as by a signal."""
    with suppress(OSError):
        while os.read(sys.stdin.fileno(), 1024):
            pass
    os.kill(os.getpid(), signal.SIGTERM)


def stop(number: int, frame: Any) -> None:
    signal.signal(number, signal.SIG_IGN)  # what is being tidied up is not to be interrupted again
    raise KeyboardInterrupt


def main() -> int:
    signal.signal(signal.SIGTERM, stop)
    threading.Thread(target=end_with_parent, name="parent", daemon=True).start()
    with suppress(OSError):
        os.nice(NICE)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "folio.settings")
    import django

    try:
        django.setup()
        from django.db import connections

        from .due import make_due

        try:
            make_due()
        finally:
            connections.close_all()
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main())
