from typing import Any

from django.core.management.commands import migrate

from folio.installation import begin, begin_database, close_to_others, refuse_unusable
from folio.server.migrating import one_at_a_time


class Command(migrate.Command):
    help = "Make the database's tables, or bring them up to date; `folio serve` does it by itself."

    def execute(self, *arguments: Any, **options: Any) -> str | None:
        """Begin the installation where there is none, before Django's checks ask its database."""
        refuse_unusable()
        begin()
        begin_database()
        for line in close_to_others():
            self.stderr.write(line)
        return super().execute(*arguments, **options)

    def handle(self, *arguments: Any, **options: Any) -> None:
        """Migrate while no other server does; only to look needs no turn."""
        if options["plan"] or options["check_unapplied"]:
            super().handle(*arguments, **options)
            return
        with one_at_a_time(self.stderr.write, options["database"]):
            super().handle(*arguments, **options)
