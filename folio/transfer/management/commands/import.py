import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from folio.media.renewing import INTERRUPTED
from folio.transfer.folders import open_root
from folio.transfer.importing import KINDS, Importer, Outcome, Totals
from folio.transfer.problems import Refused, shown
from folio.transfer.telling import counted


class Command(BaseCommand):
    help = "Import projects from a folder that holds a folder for each, with an index.md and its pictures."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, metavar="FOLDER", help="the folder that holds the projects' folders")
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would be made or changed, and write nothing"
        )
        parser.add_argument("--by", metavar="USERNAME", help="whose name the history gives (default: it keeps nothing)")

    def handle(self, *, folder: Path, dry_run: bool, by: str | None, verbosity: int, **options: Any) -> None:
        user = user_named(by) if by is not None else None
        totals = Totals()
        try:
            with open_root(folder) as root:
                importer = Importer(root, is_dry=dry_run, user=user)
                quiet = True if verbosity == 0 else None  # None: quiet unless standard error is a terminal
                with tqdm(desc="Projects", total=len(importer.tasks()), unit="", disable=quiet) as progress:
                    for outcome in importer.run():
                        progress.update()
                        totals.add(outcome)
                        with tqdm.external_write_mode(sys.stderr):
                            self.tell(outcome, dry_run, verbosity)
        except Refused as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError(
                "Interrupted. What is done stays; go on with the same command.", returncode=INTERRUPTED
            ) from None
        summary = summed_up(totals, dry_run)
        if totals.failed:
            raise CommandError(f"{summary} Failed: {totals.failed}; the lines above say why.")
        if verbosity:
            self.stdout.write(self.style.SUCCESS(summary))

    def tell(self, outcome: Outcome, is_dry: bool, verbosity: int) -> None:
        """Say what became of a row, if anything did."""
        for problem in outcome.problems:
            self.stderr.write(str(problem))
        if verbosity and not outcome.problems and outcome.has_changed:
            verb = "make" if outcome.is_new else "change"
            done = f"would {verb}" if is_dry else {"make": "made", "change": "changed"}[verb]
            fields = f" ({', '.join(outcome.fields)})" if outcome.fields and not outcome.is_new else ""
            self.stdout.write(shown(f"{done} {outcome.path}: {outcome.name}{fields}"))


def user_named(username: str) -> Any:
    user = get_user_model().objects.filter(username=username).first()
    if user is None:
        raise CommandError(f"There is no user {username!r}. Name one that exists, or leave --by out.")
    return user


def summed_up(totals: Totals, is_dry: bool) -> str:
    """Return what a run came to, in a sentence or three."""
    verbs = ("Would make", "Would change") if is_dry else ("Made", "Changed")
    sentences = []
    for verb, part in zip(verbs, (totals.made, totals.changed), strict=True):
        counts = {kinds: len(part[model]) for model, kinds in KINDS.items() if part.get(model)}
        if counts:
            sentences.append(f"{verb} {counted(counts)}.")
    same = totals.same
    sentences.append(f"As they were: {same}." if sentences else f"Nothing differs; as they were: {same}.")
    return " ".join(sentences)
