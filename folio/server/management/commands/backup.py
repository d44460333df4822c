from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import Error
from tqdm import tqdm

from folio.installation import why_not
from folio.media.renewing import INTERRUPTED
from folio.media.sizes import human_readable_size
from folio.outages import StorageAway
from folio.server import backups
from folio.server.scheduled import command
from folio.server.scheduled.schedule import number_to_keep, place


class Command(BaseCommand):
    help = "Back up the database and all media while the server runs, into an archive, a folder or a bucket."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "target",
            nargs="?",
            metavar="TARGET",
            help="a file that ends in .tar, or where backups lie beside each other: a folder, or s3://bucket/prefix",
        )
        parser.add_argument(
            "--with-secret-key", action="store_true", help="put the secret key in, by which the installation signs"
        )
        parser.add_argument("--list", action="store_true", dest="is_to_list", help="only show which backups are there")
        command.add_arguments(parser)

    def handle(
        self, *, target: str | None, with_secret_key: bool, is_to_list: bool, verbosity: int, **options: Any
    ) -> None:
        self.verbosity = verbosity
        self.quiet = True if verbosity == 0 else None  # None: quiet unless standard error is a terminal
        try:
            if command.is_about_schedule(options):
                given = {**options, "with_secret_key": with_secret_key, "is_to_list": is_to_list}
                for line in command.change(target, given):
                    self.stdout.write(line)
            elif target is None:
                raise CommandError("Say where to: folio backup TARGET, a file that ends in .tar, a folder or s3://….")
            elif is_to_list:
                self.show(target)
            else:
                self.make(target, with_secret_key=with_secret_key, keep=options["keep"])
        except backups.Refused as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError("Interrupted. There is no backup; begin it again.", returncode=INTERRUPTED) from None
        except StorageAway as error:
            raise CommandError(f"{error} There is no backup.") from error
        except Error as error:
            raise CommandError(why_not(error)) from error

    def show(self, target: str) -> None:
        found = backups.listed(target)
        self.stdout.write(f"{'backup':20}  {'made at, UTC':19}  {'media':>9}  {'rows':>11}  {'size':>10}  {'new':>10}")
        for each in found:
            size, new = human_readable_size(each.bytes), human_readable_size(each.new_bytes)
            self.stdout.write(
                f"{each.name:20}  {each.at:%Y-%m-%d %H:%M:%S}  {each.files:>9,}  {each.rows:>11,}  "
                f"{size:>10}  {new:>10}"
            )

    def make(self, target: str, *, with_secret_key: bool, keep: str | None) -> None:
        number = None if keep is None else number_to_keep(keep)
        if number is not None:
            place(target)  # which refuses an archive
        made = backups.make(target, with_secret_key=with_secret_key, tell=self.stderr.write, bar=self.bar)
        command.note_made(target, made)
        gone = backups.prune(target, number) if number is not None else []
        if not self.verbosity:
            return
        self.stdout.write(
            self.style.SUCCESS(
                f"Backup {made.name}: {made.rows:,} rows, {made.files:,} media files, "
                f"{human_readable_size(made.bytes)} in {made.seconds:.1f} seconds; "
                f"new were {made.new_files:,} files, {human_readable_size(made.new_bytes)} with the database."
            )
        )
        if gone:
            self.stdout.write(f"Removed, being older than what is kept: {', '.join(gone)}.")
        if with_secret_key:
            self.stdout.write(
                "The secret key is in it. Whoever has this backup can sign as this installation: keep it as safe."
            )
        else:
            self.stdout.write(backups.WITHOUT_KEY)

    def bar(self, total: int) -> Any:
        return tqdm(desc="Files", total=total, unit="", disable=self.quiet)
