from typing import Any

from django.core.management.base import BaseCommand

from folio.versions import versions


class Command(BaseCommand):
    help = "Tell which versions of Folio, Python and Django these are, and which kind of database is used."
    requires_system_checks = []

    def handle(self, **options: Any) -> None:
        self.stdout.write(versions())
