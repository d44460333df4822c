"""The settings: all that `folio check` says, and what is unsafe where the public can reach the server."""

import os
import stat
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage
from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS
from django.utils.functional import SimpleLazyObject

from folio.checks import database_is_not_newer
from folio.installation import where

from .findings import Finding, Findings, fault, note, ok, warning

# Of Django's advice for what is public, what follows from variables that are told of by their names.
FOLLOWING = {f"security.W{number:03}" for number in (4, 8, 9, 12, 16, 18)}
LOCAL_HOSTS = {"localhost", "127.0.0.1", "[::1]"}
LEAST_KEY, LEAST_SIGNS = 50, 5  # characters of a secret key, and different ones, as Django wants them
SETTINGS = "See docs/reference/settings.md."


def look() -> Findings:
    yield note(f"The data folder is {settings.DATA_DIR}; {where()}.")
    yield debug()
    yield public_url()
    yield hosts()
    yield from secret_key()
    yield from checked(without_database, "the settings")


def debug() -> Finding:
    if settings.DEBUG:
        return fault(
            "FOLIO_DEBUG is on: errors show the program's inside to whoever meets one.",
            "Set FOLIO_DEBUG=off, and restart the server.",
        )
    return ok("FOLIO_DEBUG is off.")


def public_url() -> Finding:
    url = settings.PUBLIC_URL
    if not url:
        return warning(
            "FOLIO_PUBLIC_URL is not set: this is a trial on one machine, or clients that come by https are given "
            "addresses with http, and cookies that any connection carries.",
            "Set FOLIO_PUBLIC_URL=https://api.example.com, with your name.",
        )
    if url.startswith("http://"):
        return warning(
            f"FOLIO_PUBLIC_URL is {url}: passwords and keys travel as everyone on the way can read them.",
            "Have a proxy speak TLS, and set FOLIO_PUBLIC_URL to the https address.",
        )
    return ok(f"FOLIO_PUBLIC_URL is {url}.")


def hosts() -> Finding:
    if "*" in settings.ALLOWED_HOSTS:
        return warning(
            "FOLIO_ALLOWED_HOSTS lets requests come for any host, which addresses in answers then name.",
            "Name the hosts that are yours; that of FOLIO_PUBLIC_URL is allowed without it.",
        )
    others = [host for host in settings.ALLOWED_HOSTS if host not in LOCAL_HOSTS]
    return ok(f"Requests are answered for {', '.join([*others, 'this machine itself'])}.")


def secret_key() -> Findings:
    path = settings.DATA_DIR / "secret_key"
    if not isinstance(settings.SECRET_KEY, SimpleLazyObject) and os.environ.get("FOLIO_SECRET_KEY"):
        key = str(settings.SECRET_KEY)
        if len(key) < LEAST_KEY or len(set(key)) < LEAST_SIGNS:
            yield warning(
                "FOLIO_SECRET_KEY is short: whoever guesses it signs in as anybody.",
                "Set it to 64 random characters: "
                "python3 -c 'import secrets; print(secrets.token_urlsafe(48))'. Sessions and preview links end.",
            )
        else:
            yield ok("The secret key is FOLIO_SECRET_KEY.")
        return
    try:
        found = path.stat()
    except OSError:
        yield warning(
            f"There is no secret key: FOLIO_SECRET_KEY is not set, and {path} does not exist.",
            "`folio serve` makes one; where this should be an installation, see which folder FOLIO_DATA_DIR names.",
        )
        return
    if not stat.S_ISREG(found.st_mode):
        yield fault(f"The secret key in {path} is no file.", "Remove it, or put it back from a backup.")
    else:
        yield ok(f"The secret key is that in {path}.")


def without_database() -> list[CheckMessage]:
    """Return what `folio check --deploy` says of all but the database; raise ImproperlyConfigured where it stops."""
    every: list[Any] = checks.registry.registry.get_checks(include_deployment_checks=True)
    apart = [each for each in every if checks.Tags.database not in each.tags and each is not database_is_not_newer]
    return [message for each in apart for message in each(app_configs=None, databases=None)]


def of_database() -> list[CheckMessage]:
    """Return what `folio check` says of the database."""
    return checks.run_checks(tags=[checks.Tags.database], databases=[DEFAULT_DB_ALIAS])


def checked(run: Callable[[], list[CheckMessage]], what: str) -> Findings:
    """Yield what checks say; that there is nothing, where there is nothing."""
    try:
        left = [each for each in run() if not each.is_silenced() and each.id not in FOLLOWING]
    except ImproperlyConfigured as error:
        yield fault(str(error), SETTINGS)
        return
    for message in left:
        text = message.msg if message.obj is None else f"{message.obj}: {message.msg}"
        make = fault if message.level >= checks.ERROR else warning
        yield make(f"{text} ({message.id})", message.hint or SETTINGS)
    if not left:
        yield ok(f"`folio check` has nothing to say of {what}.")
