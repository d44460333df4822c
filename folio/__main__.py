"""The `folio` command: Folio's own commands and Django's management commands, from any folder."""

import os
import sys
import textwrap
from collections.abc import Iterable

from .server import signals
from .server.examining.unusable import STATUS, told

if sys.argv[1:2] == ["serve"]:
    signals.end_at_once()  # before all that takes a while to load

from django.core.exceptions import ImproperlyConfigured
from django.core.management import ManagementUtility, get_commands, load_command_class
from django.db import Error

from . import __version__
from .outages import StorageAway

# Of Django's commands, those that whoever runs an installation may need, in Folio's words.
DJANGOS = {
    "changepassword": "Change a user's password.",
    "createsuperuser": "Make an admin who signs in with a password.",
    "clearsessions": "Delete the sessions of the admin site that have ended.",
    "shell": "Open a Python shell in which Folio is loaded.",
}
HELP = """\
Folio {version}, a headless portfolio backend.

folio COMMAND …        runs a command
folio help COMMAND     explains it and its flags

Folio's own:
{own}

Of Django's:
{djangos}

`folio help --all` lists the rest of Django's, which are for developers. Environment variables say which installation
a command works on: FOLIO_DATA_DIR and DATABASE_URL, or the folder `data` in the current one. All that there are, and
all commands: docs/reference/settings.md and docs/reference/commands.md.
"""


class Folio(ManagementUtility):
    """Django's way to find and run commands, with a help that begins with Folio's own."""

    def main_help_text(self, commands_only: bool = False) -> str:
        if commands_only or "--all" in self.argv or self.settings_exception is not None:
            return super().main_help_text(commands_only)
        own = {
            name: load_command_class(app, name).help
            for name, app in sorted(get_commands().items())
            if isinstance(app, str) and app.partition(".")[0] == "folio"
        }
        return HELP.format(version=__version__, own=table(own.items()), djangos=table(DJANGOS.items())).rstrip()


def table(rows: Iterable[tuple[str, str]]) -> str:
    """Return commands with what they do beside them."""
    return "\n".join(
        textwrap.fill(text, 100, initial_indent=f"  {name:17}", subsequent_indent=" " * 19) for name, text in rows
    )


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "folio.settings")
    arguments = sys.argv[1:]
    if arguments[:1] in (["version"], ["--version"]):
        from .versions import versions  # which other commands, and what they start, need not load

        print(versions())  # noqa: T201
        return
    try:
        Folio(["folio", *arguments]).execute()
    except (ImproperlyConfigured, Error, StorageAway) as error:
        if "--traceback" in arguments:
            raise
        if arguments[:1] == ["doctor"]:
            print(told(sentence(error), in_json="--json" in arguments))  # noqa: T201
            sys.exit(STATUS)
        sys.exit(sentence(error))
    except Exception:
        report_failure(arguments)
        raise


def report_failure(arguments: list[str]) -> None:
    from .reports import report_command  # which needs the settings

    report_command("".join(arguments[:1]))


def sentence(error: ImproperlyConfigured | Error | StorageAway) -> str:
    if isinstance(error, ImproperlyConfigured | StorageAway):
        return str(error).strip()
    from .installation import why_not  # which needs the settings; they are there where a database failed

    return why_not(error)


if __name__ == "__main__":
    main()
