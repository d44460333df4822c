"""Commands that work through images, several at once, and can be gone on with where they were interrupted."""

import os
import sys
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from tqdm import tqdm

from ..decoding import Decoders, DecodersBusy
from ..models import MediaQuerySet
from ..opening import UnreadableImage
from ..renewing import AT_A_TIME, INTERRUPTED, UNREADABLE, chunks, ids_of, image_decoders

MAX_PROCESSES = 64
MAX_ID = 2**63 - 1

Make = Callable[[int], bool | Exception]


def parse_processes(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or not 1 <= int(text) <= MAX_PROCESSES:
        raise ArgumentTypeError(f"{text!r} is no number of processes from 1 to {MAX_PROCESSES}")
    return int(text)


def parse_id(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or int(text) > MAX_ID:
        raise ArgumentTypeError(f"{text!r} is no id")
    return int(text)


class EachImageCommand(BaseCommand):
    """Makes something of each image: what is missing of it, or all anew."""

    name = ""  # of the command
    anew_help = "make all anew, also those that are there"
    decoders_beside = 0  # of those that are started, that `complete()` does not use

    def images(self) -> MediaQuerySet:
        """Return the images that something is made of."""
        raise NotImplementedError

    def complete(self, pk: int, pool: Decoders, *, anew: bool) -> bool:
        """Make of an image what is missing, or all anew; return whether anything was made."""
        raise NotImplementedError

    def add_arguments(self, parser: ArgumentParser) -> None:
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--missing", action="store_true", help="make those that are missing (default)")
        which.add_argument("--all", action="store_true", help=self.anew_help)
        parser.add_argument(
            "--from", type=parse_id, default=0, metavar="ID", dest="first", help="begin with the media of this id"
        )
        parser.add_argument(
            "--processes",
            type=parse_processes,
            default=min(os.cpu_count() or 1, MAX_PROCESSES),
            metavar="N",
            help="images that are decoded at once, each in a process (default: the number of cores)",
        )

    def handle(self, *, all: bool, first: int, processes: int, verbosity: int, **options: Any) -> None:
        make = partial(self.attempt, pool=image_decoders(processes + self.decoders_beside), anew=all)
        quiet = True if verbosity == 0 else None  # None: quiet unless standard error is a terminal
        images = self.images().filter(pk__gte=first).count()
        seen = made = failed = 0
        with (
            tqdm(desc="Images", total=images, unit="", disable=quiet) as progress,
            closing(results(make, ids_of(self.images(), first), processes)) as found,
        ):
            try:
                for pk, result in found:
                    first = pk + 1
                    seen += 1
                    progress.update()
                    if isinstance(result, Exception):
                        failed += 1
                        with tqdm.external_write_mode(sys.stderr):
                            self.stderr.write(f"media {pk}: {result}")
                    else:
                        made += result
            except KeyboardInterrupt:
                command = f"folio {self.name} {'--all ' if all else ''}--from {first}"
                raise CommandError(f"Interrupted. Go on with: {command}", returncode=INTERRUPTED) from None
        counts = f"Images: {seen}, of them {'made anew' if all else 'completed'}: {made}"
        if failed:
            raise CommandError(f"{counts}, failed: {failed}.")
        self.stdout.write(self.style.SUCCESS(f"{counts}."))

    def attempt(self, pk: int, *, pool: Decoders, anew: bool) -> bool | Exception:
        """Return whether anything was made of an image, or why nothing can be."""
        try:
            return self.complete(pk, pool, anew=anew)
        except DecodersBusy:
            return UnreadableImage("Its decoder was ended by the system, which may be short of memory.")
        except (UnreadableImage, *UNREADABLE) as error:
            return error


def results(make: Make, ids: Iterator[int], processes: int) -> Generator[tuple[int, bool | Exception], None, None]:
    """Yield the ids in order, each with what became of it.

    Of each image a thread of this process reads and writes files and rows, and a decoder does the work.
    """
    if processes == 1:
        for pk in ids:
            yield pk, make(pk)
        return
    opened: list[BaseDatabaseWrapper] = []

    def keep_connection() -> None:
        opened.append(connections[DEFAULT_DB_ALIAS])
        opened[-1].inc_thread_sharing()

    pool = ThreadPoolExecutor(processes, initializer=keep_connection)
    try:
        for chunk in chunks(ids, AT_A_TIME):
            yield from zip(chunk, pool.map(make, chunk), strict=True)
    finally:
        pool.shutdown(cancel_futures=True)
        for connection in opened:
            connection.close()
