from typing import Any

from django.contrib.auth.backends import BaseBackend, ModelBackend
from django.contrib.auth.models import User
from django.http import HttpRequest

from folio.api.addresses import client_address, network_of

from . import attempts
from .known import known_as


def counted(request: HttpRequest, username: str) -> attempts.Attempt:
    """Count an attempt at an account's password; raise TooManyAttempts where it came too soon."""
    return attempts.begin(username, network_of(client_address(request)), known=known_as(request, username))


class PatientBackend(ModelBackend):
    """Django's accounts and passwords; whoever fails too often has to wait, wherever they sign in.

    A program that authenticates without a request, such as a shell, is not counted.
    """

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        if request is None or username is None or password is None:
            return super().authenticate(request, username, password, **kwargs)
        attempt = counted(request, username)
        with attempts.turns.turn(attempt):
            user = super().authenticate(request, username, password, **kwargs)
        if user is not None:
            attempt.succeed()
        return user

    aauthenticate = BaseBackend.aauthenticate  # type: ignore[assignment]  # Django's for passwords would not count
