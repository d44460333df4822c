"""The `folio` command: Django's management commands and Folio's own, from any folder."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import Error

from . import __version__


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "folio.settings")
    arguments = sys.argv[1:]
    if arguments == ["--version"]:
        print(f"Folio {__version__}")  # noqa: T201
        return
    try:
        execute_from_command_line(["folio", *arguments])
    except (ImproperlyConfigured, Error) as error:
        if "--traceback" in arguments:
            raise
        hint = "" if isinstance(error, ImproperlyConfigured) else "\nIf the database is new, run `folio migrate` first."
        sys.exit(f"{str(error).strip()}{hint}")


if __name__ == "__main__":
    main()
