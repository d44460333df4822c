"""The `folio` command: Django's management commands and Folio's own, from any folder."""

import os
import sys

from django.core.management import execute_from_command_line


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "folio.settings")
    execute_from_command_line(["folio", *sys.argv[1:]])


if __name__ == "__main__":
    main()
