from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Count, Min, Q, Sum
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from folio.api.columns import LineField

from .keys import digest_of, new_key

NAME_LENGTH = 100
ANSWERS_KEPT = timedelta(hours=24)
# Of what is kept for keys of requests, at the same time: answers and their bytes, of one API key and of all. One that
# sends large bodies leaves room for the others.
ANSWERS_OF_A_TOKEN, ANSWERS = 10_000, 50_000
SIZE_OF_A_TOKEN, ANSWERS_SIZE = 64 * 1024 * 1024, 256 * 1024 * 1024
BATCH = 1_000  # answers that are deleted by one request


def validate_expiry(moment: datetime | None) -> None:
    """Raise ValidationError for a moment at which a new key could never have been used."""
    if moment is not None and moment <= timezone.now():
        raise ValidationError(_("Enter a moment in the future."))


class TokenQuerySet(models.QuerySet["Token"]):
    def alive(self, now: datetime | None = None) -> "TokenQuerySet":
        """Return the tokens that open the API at `now`: not expired, of active users."""
        return self.of_active_users().filter(Q(expires_at=None) | Q(expires_at__gt=now or timezone.now()))

    def of_active_users(self) -> "TokenQuerySet":
        return self.filter(user__is_active=True)

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
    name = LineField(max_length=NAME_LENGTH, blank=True)
    digest = models.CharField(max_length=64, editable=False)
    codes = models.JSONField(
        null=True,
        blank=True,
        help_text=_("The permission codes that the key is narrowed to; null is all of its owner's."),
    )
    published_only = models.BooleanField(
        default=False, help_text=_("Reads portfolios that are published, and nothing else.")
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
        key = new_key()
        self.digest = digest_of(key.encode())
        return key

    def has_expired(self, now: datetime | None = None) -> bool:
        return self.expires_at is not None and self.expires_at <= (now or timezone.now())


class Tally(NamedTuple):
    """What there is of kept answers."""

    wait: float  # in seconds, until there is room for one more
    has_outdated: bool


class KeptAnswerQuerySet(models.QuerySet["KeptAnswer"]):
    def tally(self, token: Token, now: datetime | None = None) -> Tally:
        """Count what is kept, for this token and for all, in one query that an index answers."""
        since = (now or timezone.now()) - ANSWERS_KEPT
        kept = Q(created_at__gt=since)
        found = self.order_by().aggregate(
            own=Count("pk", filter=kept & Q(token=token)),
            own_size=Sum("size", filter=kept & Q(token=token), default=0),
            all=Count("pk", filter=kept),
            size=Sum("size", filter=kept, default=0),
            oldest_own=Min("created_at", filter=kept & Q(token=token)),
            oldest=Min("created_at", filter=kept),
            outdated=Count("pk", filter=~kept),
        )
        wait = 0.0
        if found["all"] >= ANSWERS or found["size"] >= ANSWERS_SIZE:
            wait = (found["oldest"] - since).total_seconds()
        if found["own"] >= ANSWERS_OF_A_TOKEN or found["own_size"] >= SIZE_OF_A_TOKEN:
            wait = max(wait, (found["oldest_own"] - since).total_seconds())
        return Tally(wait, has_outdated=found["outdated"] > 0)

    def outdated(self, now: datetime | None = None) -> "KeptAnswerQuerySet":
        return self.filter(created_at__lte=(now or timezone.now()) - ANSWERS_KEPT)

    def forget_outdated(self, now: datetime | None = None) -> int:
        """Delete answers that are no longer kept, the oldest first; where there are none, this commits nothing."""
        oldest = self.outdated(now).order_by("created_at", "pk").values("pk")[:BATCH]
        return self.filter(pk__in=oldest).delete()[0]


class KeptAnswer(models.Model):
    """What a request with an `Idempotency-Key` was answered with, to be told again; see `folio.api.idempotency`."""

    # They go with their token by a signal. A cascade would let the admin site read and list all of them before it
    # deletes a key; and a constraint would fail a request, or the deletion of its token, where both commit at once. The
    # answer that is left then is found by nobody, and outdated in a day.
    token = models.ForeignKey(
        Token, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="answers"
    )
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)  # of the request: hexadecimal digits of a SHA-256
    status = models.PositiveSmallIntegerField()
    headers = models.JSONField()
    body = models.BinaryField()  # JSON, compressed by zlib
    size = models.PositiveIntegerField()  # bytes of the body, which is not read to count them
    created_at = models.DateTimeField(auto_now_add=True)

    objects = KeptAnswerQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["token", "key"], name="kept_answer_unique_per_token")]
        indexes = [models.Index(fields=["created_at", "token", "size", "id"], name="kept_answer_tally")]

    def __str__(self) -> str:
        return self.key

    def is_outdated(self, now: datetime | None = None) -> bool:
        return self.created_at <= (now or timezone.now()) - ANSWERS_KEPT


def forget_answers(instance: Token, **kwargs: Any) -> None:
    """Delete what was kept for a token that was deleted."""
    KeptAnswer.objects.filter(token_id=instance.pk).delete()
