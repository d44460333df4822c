from typing import Any

from django.core.management.base import BaseCommand

from folio import __version__


class Command(BaseCommand):
    help = "Tell which version of Folio this is."
    requires_system_checks = []

    def handle(self, **options: Any) -> None:
        self.stdout.write(f"Folio {__version__}")
