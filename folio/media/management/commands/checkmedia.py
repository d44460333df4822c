from argparse import ArgumentParser, ArgumentTypeError
from datetime import timedelta
from typing import Any

from django.core.files.storage import default_storage
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from folio.media.checking import MIN_AGE, Fault, Kind, check_files, check_media, check_removed, stored_files
from folio.media.models import Media
from folio.media.renewing import AT_A_TIME, INTERRUPTED, chunks, ids_of, image_decoders
from folio.media.sizes import human_readable_size
from folio.outages import StorageAway


def parse_minutes(text: str) -> timedelta:
    if not (text.isascii() and text.isdecimal() and len(text) <= 7):
        raise ArgumentTypeError(f"{text!r} is no number of minutes from 0 to 9999999")
    return timedelta(minutes=int(text))


class Command(BaseCommand):
    help = "Compare the media in the database with the files in the storage; exit with status 1 if anything is wrong."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--repair",
            action="store_true",
            help="make missing and wrong thumbnails anew, fill in digests and durations, correct sizes, delete "
            "thumbnails' files without a row and files whose time to go is past",
        )
        parser.add_argument("--delete-orphans", action="store_true", help="delete all files without a row, for good")
        parser.add_argument(
            "--min-age",
            type=parse_minutes,
            default=MIN_AGE,
            metavar="MINUTES",
            help="leave younger files without a row alone: they may belong to an upload that goes on (default: 60)",
        )

    def handle(self, *, repair: bool, delete_orphans: bool, min_age: timedelta, verbosity: int, **options: Any) -> None:
        decoders = image_decoders(1) if repair else None
        quiet = True if verbosity == 0 else None  # None: quiet unless standard error is a terminal
        faults: list[Fault] = []
        media = files = 0
        try:
            for pk in tqdm(ids_of(Media.objects.all()), "Media", Media.objects.count(), unit="", disable=quiet):
                faults += check_media(pk, decoders)
                media += 1
            with tqdm(desc="Files", unit="", disable=quiet) as progress:
                for stored in chunks(stored_files(default_storage), AT_A_TIME):
                    faults += check_files(
                        stored,
                        min_age=min_age,
                        delete_thumbnails=repair or delete_orphans,
                        delete_originals=delete_orphans,
                    )
                    files += len(stored)
                    progress.update(len(stored))
            late, kept, size = check_removed(repair=repair)
            faults += late
        except KeyboardInterrupt:
            raise CommandError("Interrupted. The rest was not checked.", returncode=INTERRUPTED) from None
        except (OSError, StorageAway) as error:
            raise CommandError(f"The storage can't be read: {error}") from error
        finally:
            self.report(faults)  # of an interrupted run too: what was repaired is told
        if kept:
            told = "Replaced and deleted files that are served until their time comes"
            self.stdout.write(f"{told}: {kept}, of {human_readable_size(size)}.")
        self.sum_up(media, files, faults)

    def report(self, faults: list[Fault]) -> None:
        for kind in Kind:
            found = [fault for fault in faults if fault.kind == kind]
            if found:
                self.stdout.write(f"{kind} ({len(found)})")
                for fault in found:
                    self.stdout.write(f"  {fault}")

    def sum_up(self, media: int, files: int, faults: list[Fault]) -> None:
        unknown = Media.objects.filter(sha256="").count()
        if unknown:
            self.stdout.write(f"The digests of {unknown} media are not known yet; --repair fills in those it can.")
        repaired = sum(fault.repaired for fault in faults)
        checked = f"Checked {media} media and {files} files"
        if not faults:
            self.stdout.write(self.style.SUCCESS(f"{checked}: nothing is wrong."))
        elif len(faults) == repaired:
            self.stdout.write(self.style.SUCCESS(f"{checked}. Faults: {len(faults)}, all of them repaired."))
        else:
            raise CommandError(f"{checked}. Faults: {len(faults)}, of them repaired: {repaired}.")
