import os
from argparse import ArgumentParser
from collections import Counter
from typing import Any

from django.conf import settings
from django.core.files.storage import FileSystemStorage
from django.core.management.base import BaseCommand, CommandError
from django.db import Error, connections
from tqdm import tqdm

from folio.installation import why_not
from folio.media.journal import recover
from folio.media.renewing import INTERRUPTED
from folio.media.sizes import human_readable_size
from folio.server.moving import SOURCE, TARGET, Refused, listed
from folio.server.moving.ends import contents, counts_of_target, held, name_ends, not_empty, run_there, shown, told
from folio.server.moving.files import Copied, Place, Wanted, copy_all, count_of_files
from folio.server.moving.rows import DIGITS, Facts, carry, checked, different, facts_of_all
from folio.server.moving.tables import Model, tables


class Command(BaseCommand):
    help = "Move everything into another database, and all files into another storage, such as PostgreSQL and S3."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--to", metavar="DATABASE_URL", help="an empty database, postgres://… or sqlite:///…")
        parser.add_argument("--media", metavar="PLACE", help="an empty place for the files: s3://… or a folder")
        parser.add_argument(
            "--ahead", action="store_true", help="only copy files, while the server runs, so that the move is short"
        )
        parser.add_argument(
            "--despite-faults",
            action="store_true",
            help="move although files are missing or damaged: they will be so there",
        )

    def handle(
        self,
        *,
        to: str | None,
        media: str | None,
        ahead: bool,
        despite_faults: bool,
        verbosity: int,
        **options: Any,
    ) -> None:
        self.verbosity = verbosity
        self.quiet = True if verbosity == 0 else None  # None: quiet unless standard error is a terminal
        if not (to or media):
            raise CommandError("Say where to: --to DATABASE_URL, --media PLACE, or both.")
        if ahead and (to or not media):
            raise CommandError("--ahead copies files alone: it needs --media, and leaves --to for the move itself.")
        try:
            if ahead:
                assert media is not None
                self.copy_ahead(media)
            else:
                self.move(to, media, is_lenient=despite_faults)
        except Refused as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError("Interrupted. Go on with the same command.", returncode=INTERRUPTED) from None
        except Error as error:
            raise CommandError(why_not(error)) from error
        finally:
            for alias in (SOURCE, TARGET):
                if alias in connections.settings:
                    connections[alias].close()

    def say(self, line: str) -> None:
        if self.verbosity:
            self.stdout.write(line)

    def bar(self, name: str, total: int | None = None) -> Any:
        return tqdm(desc=name, total=total, unit="", disable=self.quiet)

    def move(self, url: str | None, media: str | None, *, is_lenient: bool) -> None:
        name_ends(url)
        place = Place(media) if media is not None else None
        recover()
        with held():
            facts, is_there = ({}, False) if url is None else self.compare()
            if place is not None:
                if not is_there:
                    place.refuse_unless_empty()
                place.has_begun |= is_there
            if url is not None and not is_there:
                run_there(url, "migrate", "--verbosity", "0")
            if place is not None:
                self.copy(place, is_lenient=is_lenient)
            if url is not None and not is_there:
                total = sum(each.rows for each in facts.values())
                with self.bar("Rows", total) as written, self.bar("Compared", total) as compared:
                    carry(facts, written.update, compared.update)
            if url is not None and (lacks := run_there(url, "reindex", "--verbosity", "0")):
                self.stderr.write(lacks)
        if url is not None:
            self.tell_rows(facts)
        if place is not None:
            place.end()
        self.tell_what_is_left(url, place)

    def compare(self) -> tuple[dict[Model, Facts], bool]:
        """Return what there is to be moved, and whether an earlier attempt has brought all rows.

        Raise Refused for a target that has anything else.
        """
        with told(TARGET):
            found = counts_of_target()
        if found and found != contents(tables(), SOURCE):
            raise not_empty(found)
        with self.bar("Read") as progress:
            facts = checked(progress.update)
        if found:
            with told(TARGET), self.bar("Compared", sum(each.rows for each in facts.values())) as progress:
                if differences := different(facts, facts_of_all(TARGET, progress.update)):
                    raise not_empty(found, f" It is not what was moved either:{listed(differences)}")
        return facts, bool(found)

    def copy(self, place: Place, *, is_lenient: bool) -> None:
        """Copy all files; raise Refused where some are missing or damaged, unless that is to be so."""
        place.begin()
        faults: list[str] = []
        counts: Counter[str] = Counter()
        with self.bar("Files", count_of_files()) as progress:

            def tell(wanted: Wanted, copied: Copied) -> None:
                progress.total = max(progress.total, progress.n + 1)  # there are variants too
                progress.update()
                counts["files"] += not copied.is_absent
                counts["bytes"] += copied.size
                counts["there"] += copied.was_there
                if copied.fault:
                    faults.append(f"{wanted.name}: {copied.fault}")
                counts["lost"] += not copied.has_arrived

            copy_all(place, tell)
        size = human_readable_size(counts["bytes"])
        self.say(f"Files: {counts['files']:,}, of {size}; {counts['there']:,} of them were there. Each was compared.")
        if not faults:
            return
        found = f"Files that are missing or damaged, or did not arrive: {len(faults):,}.{listed(faults)}"
        if counts["lost"] or not is_lenient:
            raise Refused(
                f"{found}\nNo rows were moved. Mend what can be mended (`folio checkmedia --repair`) and move again, "
                "or say --despite-faults: what is missing here is missing there then."
            )
        self.stderr.write(found)

    def copy_ahead(self, media: str) -> None:
        name_ends(None)
        place = Place(media)
        place.refuse_unless_empty()
        self.copy(place, is_lenient=True)
        self.say("That was ahead. Stop all servers now, and move: what came meanwhile is copied then.")

    # What is said

    def tell_rows(self, facts: dict[Model, Facts]) -> None:
        rows = [(model._meta.db_table, each) for model, each in facts.items() if each.rows]
        width = max([len(name) for name, _ in rows], default=0)
        self.say(f"{'table':{width}}  {'rows':>10}  digest")
        for name, each in sorted(rows):
            self.say(f"{name:{width}}  {each.rows:>10,}  {each.digest[:DIGITS]}")
        self.say(f"All {len(facts)} tables have the same rows in both databases, and count on from the same ids.")

    def tell_what_is_left(self, url: str | None, place: Place | None) -> None:
        """Say what the environment of the new machine has to be; secrets are named, not shown."""
        self.say(self.style.SUCCESS("Moved. What serves from now on needs, in its environment:"))
        if url is not None:
            self.say(f"  DATABASE_URL       what --to was: {shown(TARGET)}")
            own = os.environ.get("FOLIO_SECRET_KEY")
            key = "as it is set here" if own else f"the text in {settings.DATA_DIR / 'secret_key'}"
            self.say(f"  FOLIO_SECRET_KEY   {key}: sessions, webhooks and preview links are signed with it")
            if settings.PUBLIC_READ and not os.environ.get("FOLIO_PUBLIC_READ", "").strip():
                self.say("  FOLIO_PUBLIC_READ  on, as it is here")
        if place is not None and isinstance(place.storage, FileSystemStorage):
            self.say(f"  FOLIO_DATA_DIR     the folder around {place.address}, which has to be called media")
        elif place is not None:
            self.say(f"  FOLIO_MEDIA        {place.address}")
        elif url is not None:
            lie = os.environ.get("FOLIO_MEDIA") or f"in {settings.MEDIA_ROOT}"
            self.say(f"The files were not moved: they lie {lie}.")
        self.say("Do not start a server with the old ones again: it would go on by itself, and tell webhooks twice.")
