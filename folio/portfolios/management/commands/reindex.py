from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from tqdm import tqdm

from folio.portfolios.searching.due import begin_anew, fold_all, is_made
from folio.portfolios.searching.stores import store


class Command(BaseCommand):
    help = "Fold all portfolios anew for the search; the server may run meanwhile, and finds what is there."

    def handle(self, *, verbosity: int, **options: Any) -> None:
        if not is_made():
            raise CommandError("The database was not migrated yet. Run `folio migrate` first.")
        with transaction.atomic():
            store().make()
            store().make_triggers()
            count = begin_anew()
        quiet = True if verbosity == 0 else None  # None: quiet unless standard error is a terminal
        with tqdm(total=count, unit=" portfolios", disable=quiet) as bar:
            fold_all(lambda left: bar.update(max(count - left - bar.n, 0)))
        with transaction.atomic():
            store().settle()
        self.stdout.write(self.style.SUCCESS(f"Folded {count} portfolios."))
        if lacks := store().lacks():
            self.stderr.write(self.style.WARNING(lacks))
