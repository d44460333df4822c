from typing import cast

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import User
from django.db import DEFAULT_DB_ALIAS
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from folio.api.rows import Statement
from folio.snapshots import SNAPSHOT, remember

from .keys import KEY_PREFIX, digest_of
from .models import Token
from .uses import uses

EXAMPLE = f"{KEY_PREFIX}…"
OTHER_SCHEMES = {b"bearer", b"basic", b"digest", b"apikey", b"api-key", b"jwt"}
BRACKETS = {b'"', b"'", b"<", b">", b"`", b"{", b"}"}
TOKEN_SIZE = 4096  # bytes that a token and its user take in the document cache, roughly


TOKEN_FIELDS = [field.attname for field in Token._meta.concrete_fields]
USER_FIELDS = [field.attname for field in User._meta.concrete_fields]
tokens = Statement(
    lambda digests: (
        Token.objects.of_active_users()
        .order_by()
        .filter(digest__in=digests)
        .values_list(*TOKEN_FIELDS, *(f"user__{name}" for name in USER_FIELDS))
    ),
    kind=str,
)


def find_token(digest: str) -> Token | None:
    """Return the token with its user, unless it opens the API no more."""
    _, rows = tokens.rows([digest])
    for row in rows:
        token = Token.from_db(DEFAULT_DB_ALIAS, TOKEN_FIELDS, row[: len(TOKEN_FIELDS)])
        token.user = User.from_db(DEFAULT_DB_ALIAS, USER_FIELDS, row[len(TOKEN_FIELDS) :])
        return None if token.has_expired() else token
    return None


def token_of(request: Request) -> Token:
    """Return the token that an authenticated request came with."""
    return cast(Token, request.auth)


def mistake_of(scheme: bytes, key: bytes) -> str:
    """Return what is wrong with how a key is sent, in words that tell nothing of it; "" where nothing is."""
    if scheme != b"token":
        if scheme.startswith(KEY_PREFIX.encode()):
            return "The word `Token` is missing before the key."
        if scheme in OTHER_SCHEMES:
            return f"`{scheme.decode().capitalize()}` is not the word that is understood here."
        return "This is not how a key is sent."
    if not key:
        return "The key is missing after `Token`."
    if key.lower().startswith(b"token"):
        return "The word `Token` stands there twice."
    if key[:1] in BRACKETS or key[-1:] in BRACKETS:
        return "The key stands between quotes or brackets, which do not belong to it."
    if len(key.split()) > 1:
        return "There is something else beside the key."
    return ""


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Token <key>`, in one query that writes nothing; the only way into the API."""

    keyword = "Token"

    def authenticate(self, request: Request) -> tuple[AbstractBaseUser, Token] | None:
        header = get_authorization_header(request).strip()
        if not header:
            return None
        scheme, _, key = header.partition(b" ")
        key = key.strip()
        if mistake := mistake_of(scheme.lower(), key):
            raise AuthenticationFailed(f"{mistake} Send the key as `Authorization: Token {EXAMPLE}`.")
        digest = digest_of(key)
        token = remember(request.META.get(SNAPSHOT), (Token, digest), lambda: find_token(digest), TOKEN_SIZE)
        if token is None or token.has_expired():
            raise AuthenticationFailed(
                "This key is not valid: it is unknown, revoked or expired, or its owner was deactivated."
            )
        uses.note(token)
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return self.keyword
