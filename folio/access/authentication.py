from typing import cast

from django.contrib.auth.base_user import AbstractBaseUser
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from .models import Token, digest_of


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
        token = Token.objects.alive().select_related("user").filter(digest=digest_of(key.strip())).first()
        if token is None:
            raise AuthenticationFailed(
                "This key is not valid: it is unknown, revoked or expired, or its owner was deactivated."
            )
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return self.keyword
