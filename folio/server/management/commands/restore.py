import shlex
from argparse import ArgumentParser
from contextlib import AbstractContextManager
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import Error
from tqdm import tqdm

from folio.installation import why_not
from folio.media.renewing import INTERRUPTED
from folio.outages import StorageAway
from folio.server.backups import Refused
from folio.server.backups.restoring import restore, told_of


class Command(BaseCommand):
    help = "Restore a backup: the database and all media, in the place of what is there; or only check it."
    requires_system_checks = []  # a restore that was interrupted is one of what they stop at

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "source", metavar="SOURCE", help="what `folio backup` was given: FILE.tar, a folder or s3://…"
        )
        parser.add_argument("--at", metavar="NAME", help="which backup of a folder or bucket (default: the newest)")
        parser.add_argument("--verify", action="store_true", help="only check all of it, and change nothing")
        parser.add_argument(
            "--replace", action="store_true", help="replace an installation that is not empty; what it has is gone"
        )

    def handle(
        self, *, source: str, at: str | None, verify: bool, replace: bool, verbosity: int, **options: Any
    ) -> None:
        self.quiet = True if verbosity == 0 else None  # None: quiet unless standard error is a terminal
        words = ["folio", "restore", source, *(["--at", at] if at else []), *(["--replace"] if replace else [])]
        try:
            manifest = restore(
                source,
                at=at,
                is_to_replace=replace,
                only_verify=verify,
                command=shlex.join(words),
                tell=self.stdout.write if verbosity else (lambda line: None),
                bar=self.bar,
            )
        except Refused as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError("Interrupted. Give the same command again.", returncode=INTERRUPTED) from None
        except StorageAway as error:
            raise CommandError(f"{error} Give the same command again.") from error
        except Error as error:
            raise CommandError(why_not(error)) from error
        if verbosity:
            word = "Verified" if verify else "Restored"
            self.stdout.write(self.style.SUCCESS(f"{word} {manifest.name}: {told_of(manifest)}."))

    def bar(self, name: str, total: int) -> AbstractContextManager[Any]:
        return tqdm(desc=name, total=total, unit="", disable=self.quiet)
