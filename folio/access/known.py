"""Who has signed in before: a browser tells it by a cookie of its own, a program by a key that it got.

Nothing that others share may tell it, such as an address. Who is known is heard where others have to wait, so that
nobody keeps owners out of their accounts; whoever shared the address would learn from that which accounts there are.
"""

import secrets
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.signing import BadSignature, TimestampSigner
from django.http import HttpResponse
from django.urls import reverse

from .attempts import digest_of
from .keys import digest_of as digest_of_key
from .models import Token

KNOWN_FOR = timedelta(days=30)


def known_as(request: Any, username: str) -> str:
    """Return a text that stands for the browser or program if an account was signed in to from it; else nothing."""
    try:
        return signer(username).unsign(request.COOKIES.get(cookie_of(username), ""), max_age=KNOWN_FOR)
    except BadSignature:
        return key_of(request, username)


def key_of(request: Any, username: str) -> str:
    """Return the digest of the key that a request of the API comes with, if it is one of that account's."""
    scheme, _, key = request.META.get("HTTP_AUTHORIZATION", "").strip().partition(" ")
    if scheme.lower() != "token" or not key:
        return ""
    digest = digest_of_key(key.strip().encode("utf-8", "surrogateescape"))
    return digest if Token.objects.filter(digest=digest, user__username=username).exists() else ""


def remember(response: HttpResponse, user: User) -> None:
    """Have the browser that an account was just signed in to from say so the next time."""
    username = user.get_username()
    response.set_cookie(
        cookie_of(username),
        signer(username).sign(secrets.token_urlsafe(16)),
        max_age=KNOWN_FOR,
        path=reverse("admin:index"),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def cookie_of(username: str) -> str:
    """Return the name of the cookie for an account, which doesn't tell whose it is."""
    return f"folio_known_{digest_of('cookie', username)[:12]}"


def signer(username: str) -> TimestampSigner:
    return TimestampSigner(salt=f"folio.access.known:{username}")
