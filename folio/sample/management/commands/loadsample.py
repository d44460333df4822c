from typing import Any

from django.core.management.base import BaseCommand, CommandError

from folio.sample.loading import InstallationNotEmpty, load_sample


class Command(BaseCommand):
    help = "Fill an installation that holds no portfolio, employer, tag or media with a studio's sample content."

    def handle(self, *args: Any, verbosity: int, **options: Any) -> None:
        tell = self.stdout.write if verbosity else lambda message: None
        try:
            counts = load_sample(tell)
        except InstallationNotEmpty as error:
            raise CommandError(str(error)) from error
        loaded = ", ".join(f"{count} {kind}" for kind, count in counts.items())
        tell(self.style.SUCCESS(f"Loaded {loaded}."))
