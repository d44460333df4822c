from typing import cast

from django.contrib.auth.base_user import AbstractBaseUser
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from folio.snapshots import SNAPSHOT, remember

from .models import Token, digest_of
from .uses import uses

TOKEN_SIZE = 4096  # bytes that a token and its user take in the document cache, roughly


def find_token(digest: str) -> Token | None:
    return Token.objects.alive().select_related("user").filter(digest=digest).first()


def token_of(request: Request) -> Token:
    """Return the token that an authenticated request came with."""
    return cast(Token, request.auth)


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Token <key>`, in one query that writes nothing; the only way into the API."""

    keyword = "Token"

    def authenticate(self, request: Request) -> tuple[AbstractBaseUser, Token] | None:
        scheme, _, key = get_authorization_header(request).strip().partition(b" ")
        if scheme.lower() != self.keyword.lower().encode():
            return None
        digest = digest_of(key.strip())
        token = remember(request.META.get(SNAPSHOT), (Token, digest), lambda: find_token(digest), TOKEN_SIZE)
        if token is None or token.has_expired():
            raise AuthenticationFailed(
                "This key is not valid: it is unknown, revoked or expired, or its owner was deactivated."
            )
        uses.note(token)
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return self.keyword
