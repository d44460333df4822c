from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.core.management.commands import check
from django.db import DEFAULT_DB_ALIAS, connection


class Command(check.Command):
    """Django's own, which looks at the database and the bucket too where there is one, without being told its name."""

    help = (
        "Look for mistakes in the settings, the database and the bucket; with --deploy, also for what is unsafe in "
        "public."
    )

    def handle(self, *app_labels: Any, **options: Any) -> None:
        if options["databases"] is None and is_there():
            options["databases"] = [DEFAULT_DB_ALIAS]
        super().handle(*app_labels, **options)
        if settings.MEDIA_BUCKET is not None:
            from folio.media.promises import broken_promises  # whose library is there where a bucket is

            broken = list(broken_promises())
            if broken:
                raise CommandError("\n".join(broken))


def is_there() -> bool:
    """Tell whether the database may be looked at: SQLite would make one that isn't there."""
    if connection.vendor != "sqlite" or connection.connection is not None:
        return True
    return Path(connection.settings_dict["NAME"]).is_file()
