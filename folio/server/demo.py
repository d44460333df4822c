"""What `folio serve --demo` gives an empty installation: sample content, an admin with a key, and open doors."""

import os
import secrets
from collections.abc import Callable
from typing import NamedTuple

from django.conf import settings
from django.contrib.auth import get_user_model

from folio.access.models import Token
from folio.installation import make_file
from folio.sample.loading import InstallationNotEmpty, load_sample

ADMIN = "admin"


class Admin(NamedTuple):
    """The admin of a demo; password and key are told once."""

    name: str
    password: str
    key: str


def make_demo(say: Callable[[str], None]) -> Admin | None:
    """Give an installation without users and content both; return its admin, or None for any other installation."""
    if get_user_model().objects.exists():
        return None
    try:
        load_sample(say)
    except InstallationNotEmpty:
        return None
    open_to_public()
    password = secrets.token_urlsafe(12)
    user = get_user_model().objects.create_superuser(ADMIN, password=password)
    _, key = Token.objects.issue(user, name="demo")
    return Admin(ADMIN, password, key)


def open_to_public() -> None:
    """Let visitors read what was just made for them, from now on; the variable, where it is set, decides."""
    make_file(settings.PUBLIC_READ_MARK)
    if not os.environ.get("FOLIO_PUBLIC_READ", "").strip():
        settings.PUBLIC_READ = True
