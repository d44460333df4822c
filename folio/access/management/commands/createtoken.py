from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import DataError, transaction
from django.utils import timezone

from folio.access.codes import CODES, PUBLISHED
from folio.access.grants import held_permissions
from folio.access.models import Token
from folio.api.columns import validate_line

MAX_DAYS = 36_500


def parse_codes(text: str) -> list[int]:
    codes = [item.strip() for item in text.split(",") if item.strip()]
    unknown = [item for item in codes if not item.isdecimal() or int(item) not in CODES]
    if unknown or not codes:
        raise ArgumentTypeError(
            f"there is no permission code {', '.join(unknown) or text!r}; known are {', '.join(map(str, CODES))}"
        )
    return sorted({int(item) for item in codes})


def parse_days(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MAX_DAYS:
        raise ArgumentTypeError(f"{text!r} is no number of days from 1 to {MAX_DAYS}")
    return int(text)


class Command(BaseCommand):
    help = "Print a new API key, alone, on standard output. A user who doesn't exist is made."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        standing = parser.add_mutually_exclusive_group()
        standing.add_argument("--admin", action="store_true", help="the user is an admin, who may do everything")
        standing.add_argument("--staff", action="store_true", help="the user is staff, who may do what is granted")
        parser.add_argument(
            "--codes",
            type=parse_codes,
            help="narrow the key to these permission codes, separated by commas; a new user is granted them",
        )
        parser.add_argument(
            "--grant", action="store_true", help="grant an existing user those of the codes that they lack"
        )
        parser.add_argument(
            "--published",
            action="store_true",
            help="the key reads portfolios that are published, and nothing else; a new user is granted what that takes",
        )
        parser.add_argument("--name", default="createtoken", help="what the key is for (default: %(default)s)")
        parser.add_argument("--expires", type=parse_days, metavar="DAYS", help="default: the key does not expire")

    def handle(self, *, username: str, admin: bool, staff: bool, grant: bool, published: bool, **options: Any) -> None:
        if grant and not options["codes"] and not published:
            raise CommandError("--grant grants what --codes names, or what --published takes: give one of them too.")
        if published and (others := set(options["codes"] or ()) - PUBLISHED):
            raise CommandError(
                f"--published opens {' and '.join(map(str, sorted(PUBLISHED)))} alone: leave out "
                f"{', '.join(map(str, sorted(others)))} of --codes, or --published."
            )
        if len(options["name"]) > 100:
            raise CommandError("--name takes at most 100 characters.")
        try:
            validate_line(options["name"])
        except ValidationError as error:
            raise CommandError(f"--name: {' '.join(error.messages)}") from error
        username = get_user_model().normalize_username(username)
        expires_at = self.expiry(options["expires"])
        needed = options["codes"] or (sorted(PUBLISHED) if published else [])
        with transaction.atomic():
            user = self.find_user(username)
            if user is None:
                user = self.make_user(username, admin, staff, needed)
            else:
                self.check_standing(user, admin, staff)
                self.check_codes(user, needed, grant)
            fields = {"name": options["name"], "codes": options["codes"], "published_only": published}
            _, key = Token.objects.issue(user, expires_at=expires_at, **fields)
        if not user.is_staff and not user.is_superuser:
            self.stderr.write(f"Note: {username} is neither staff nor an admin, so this key opens only /api/auth/.")
        self.stdout.write(key)

    def find_user(self, username: str) -> Any:
        try:
            return get_user_model().objects.filter(username=username).first()
        except (ValueError, DataError) as error:  # a null character, or bytes of the command line that are no text
            raise CommandError(f"{username!r} can't be a username: {error}") from error

    def expiry(self, days: int | None) -> datetime | None:
        return None if days is None else timezone.now() + timedelta(days=days)

    def make_user(self, username: str, admin: bool, staff: bool, codes: list[int]) -> Any:
        """Make a user without a password, who holds the permissions behind the codes."""
        user = get_user_model()(username=username, is_superuser=admin, is_staff=admin or staff)
        user.set_unusable_password()
        try:
            user.full_clean(exclude=["password"])
        except ValidationError as error:
            raise CommandError(f"{username!r} can't be a username: {' '.join(error.messages)}") from error
        user.save()
        self.grant(user, codes)
        return user

    def grant(self, user: Any, codes: Iterable[int]) -> None:
        for permission in {CODES[code].permission for code in codes}:
            app, codename = permission.split(".")
            user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))

    def check_codes(self, user: Any, codes: list[int], grant: bool) -> None:
        """Grant a user the codes that they lack, or refuse them where that was not asked for."""
        held = held_permissions(user)
        lacking = [] if user.is_superuser else [CODES[code] for code in codes if CODES[code].permission not in held]
        if grant:
            self.grant(user, [code.code for code in lacking])
        elif lacking:
            named = ", ".join(f"{code.code} ({code.action} {code.resource})" for code in lacking)
            raise CommandError(
                f"{user} lacks {named}, and a key never opens more than its user may. "
                "Leave them out, or grant them by --grant."
            )

    def check_standing(self, user: Any, admin: bool, staff: bool) -> None:
        standing = "an admin" if user.is_superuser else "staff" if user.is_staff else "neither staff nor an admin"
        if not user.is_active:
            raise CommandError(f"{user} was deactivated; a key of theirs would open nothing.")
        is_staff_only = user.is_staff and not user.is_superuser
        if (admin and not user.is_superuser) or (staff and not is_staff_only):
            raise CommandError(
                f"{user} exists and is {standing}. This command never changes a user's standing: leave the flag out."
            )
