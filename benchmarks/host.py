"""Serve a WSGI application just as `folio serve` would: `python -m benchmarks.host MODULE:NAME PORT [THREADS]`."""

import os
import sys

import django
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "folio.settings")
    django.setup()
    from folio.allocator import give_back_memory
    from folio.server.processes import threads_of
    from folio.server.working import BACKPRESSURE

    give_back_memory()

    Granian(
        sys.argv[1],
        address="127.0.0.1",
        port=int(sys.argv[2]),
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=int(sys.argv[3]) if len(sys.argv) > 3 else threads_of(1),
        backpressure=BACKPRESSURE,
        log_level=LogLevels.error,
    ).serve()


if __name__ == "__main__":
    main()
