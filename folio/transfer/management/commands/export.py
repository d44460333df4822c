import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from folio.transfer.exporting import Exporter, Page, Target, export
from folio.transfer.problems import Problem, Refused
from folio.transfer.telling import counted


class Command(BaseCommand):
    help = "Write all projects, employers, tags and media into a folder that `folio import` reads."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, metavar="FOLDER", help="a new or empty folder, or that of an export")
        parser.add_argument(
            "--force", action="store_true", help="write into a folder that holds something else as well"
        )

    def handle(self, *, folder: Path, force: bool, verbosity: int, **options: Any) -> None:
        exporter = Exporter()  # before the folder is made: there may be no installation
        try:
            target = Target(folder, is_forced=force)
        except Refused as error:
            raise CommandError(str(error)) from error
        quiet = True if verbosity == 0 else None  # None: quiet unless standard error is a terminal
        with tqdm(desc="Files", total=exporter.count, unit="", disable=quiet) as progress:

            def tell(page: Page, problems: list[Problem]) -> None:
                progress.update()
                for problem in problems:
                    with tqdm.external_write_mode(sys.stderr):
                        self.stderr.write(str(problem))

            failed, removed = export(target, tell, exporter)
        counts = counted(
            {
                "projects": len(exporter.portfolios),
                "employers": len(exporter.employers),
                "tags": len(exporter.tags),
                "media": len(exporter.media),
            }
        )
        files = f"Files written: {target.changed}, as they were: {len(target.written) - target.changed}"
        summary = f"Exported {counts}. {files}, removed: {removed}."
        if failed:
            raise CommandError(f"{summary} Failed: {failed}; the lines above say why.")
        if verbosity:
            self.stdout.write(self.style.SUCCESS(summary))
