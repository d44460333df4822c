import hashlib
import secrets
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

NAME_LENGTH = 100
KEY_PREFIX = "folio_"  # lets scanners for leaked secrets recognise a key


def digest_of(key: bytes) -> str:
    """Return the 64 hexadecimal digits under which a key is stored.

    A key holds 256 random bits, so that a plain SHA-256 can't be searched; slow hashes are for passwords.
    """
    return hashlib.sha256(key).hexdigest()


def validate_expiry(moment: datetime | None) -> None:
    """Raise ValidationError for a moment at which a new key could never have been used."""
    if moment is not None and moment <= timezone.now():
        raise ValidationError(_("Enter a moment in the future."))


class TokenQuerySet(models.QuerySet["Token"]):
    def alive(self, now: datetime | None = None) -> "TokenQuerySet":
        """Return the tokens that open the API at `now`: not expired, of active users."""
        return self.filter(
            Q(expires_at=None) | Q(expires_at__gt=now or timezone.now()),
            user__is_active=True,
        )

    def use(self, hour: datetime) -> int:
        """Say of these tokens that they were used in that hour, which others may have said already."""
        return self.filter(Q(last_used_at=None) | Q(last_used_at__lt=hour)).update(last_used_at=hour)


class TokenManager(models.Manager.from_queryset(TokenQuerySet)):  # type: ignore[misc]
    def issue(self, user: AbstractBaseUser, **fields: Any) -> tuple["Token", str]:
        """Save a new token of `user` and return it with its key, which can never be read again."""
        token = self.model(user=user, **fields)
        key = token.draw_key()
        token.save()
        return token, key


class Token(models.Model):
    """A key that opens the API for its owner; only the key's digest is stored."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=NAME_LENGTH, blank=True)
    digest = models.CharField(max_length=64, editable=False)
    codes = models.JSONField(
        null=True,
        blank=True,
        help_text=_("The permission codes that the key is narrowed to; null is all of its owner's."),
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    # The beginning of the hour, UTC; see `folio.access.uses`.
    last_used_at = models.DateTimeField(null=True, editable=False)
    # Made by `POST /api/auth/token/`; see `folio.access.passwords`.
    by_password = models.BooleanField(default=False, editable=False)
    # Of the admin site's form that the token was made by, so that the form makes one only, however often it is sent.
    form = models.UUIDField(null=True, editable=False)

    objects = TokenManager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        verbose_name = "API key"
        constraints = [
            models.UniqueConstraint(fields=["digest"], name="token_digest_unique"),
            models.UniqueConstraint(fields=["user", "form"], name="token_form_unique"),
        ]

    def __str__(self) -> str:
        return self.name or f"Token {self.pk}"

    def draw_key(self) -> str:
        """Give the token, which is not saved yet, a key, and return it; only its digest is kept."""
        key = KEY_PREFIX + secrets.token_urlsafe(32)
        self.digest = digest_of(key.encode())
        return key

    def has_expired(self, now: datetime | None = None) -> bool:
        return self.expires_at is not None and self.expires_at <= (now or timezone.now())
