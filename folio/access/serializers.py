from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.contrib.auth import authenticate, get_user_model
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from folio.api.serializers import LineField, StrictSerializer, UTCDateTimeField, kind_of, listed

from .codes import CODES, PUBLISHED
from .documents import Token
from .models import NAME_LENGTH, validate_expiry
from .models import Token as TokenModel
from .passwords import issue_by_password


@extend_schema_field({"type": "array", "items": {"type": "integer", "enum": sorted(CODES)}, "minItems": 1})
class CodesField(serializers.Field):  # type: ignore[type-arg]
    """Permission codes, sorted, each once."""

    default_error_messages = {
        "not_a_list": "Enter a list of permission codes, or null for all that the owner may; not {kind}.",
        "empty": "Enter at least one permission code, or null for all that the owner may.",
        "unknown": "There is no permission code {codes}. /api/auth/permissions/ lists them.",
    }

    def to_internal_value(self, data: Any) -> list[int]:
        if not isinstance(data, list):
            self.fail("not_a_list", kind=kind_of(data))
        if not data:
            self.fail("empty")
        unknown = [code for code in data if isinstance(code, bool) or not isinstance(code, int) or code not in CODES]
        if unknown:
            self.fail("unknown", codes=listed(unknown))
        return sorted(set(data))


class CredentialsSerializer(StrictSerializer):
    """A username and a password, to be exchanged for a key."""

    username = serializers.CharField(max_length=150, write_only=True, help_text="As at the admin site.")
    password = serializers.CharField(
        max_length=4096, trim_whitespace=False, write_only=True, help_text="As at the admin site."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        name = get_user_model().normalize_username(attrs["username"])
        user = authenticate(self.context["request"], username=name, password=attrs["password"])
        if user is None:
            raise refused()
        return {"user": user, **attrs}

    def issue(self, **fields: Any) -> tuple[TokenModel, str]:
        """Return a new token and its key."""
        given = self.validated_data
        issued = issue_by_password(given["user"], given["password"], **fields)
        if issued is None:
            raise refused()
        return issued


def refused() -> serializers.ValidationError:
    return serializers.ValidationError(
        {"non_field_errors": ["No active user has this name and password."]}, code="authorization"
    )


class TokenSerializer(StrictSerializer):
    """A key to be made; it may not outlive the one that asks."""

    name = LineField(max_length=NAME_LENGTH, help_text="What the key is for.")
    expires_at = UTCDateTimeField(
        required=False,
        allow_null=True,
        validators=[validate_expiry],
        help_text="A date alone is its midnight, UTC; null is never. When left out, as this request's key.",
    )
    codes = CodesField(required=False, allow_null=True, help_text="Null, the default, is all that the owner may.")

    published_only = serializers.BooleanField(
        default=False, help_text="Whether it reads portfolios that are published, and nothing else."
    )

    class Meta:
        document = Token

    def validate_expires_at(self, value: datetime | None) -> datetime | None:
        limit = self.context["request"].auth.expires_at
        if limit is not None and (value is None or value > limit):
            raise serializers.ValidationError(
                f"A key can't make one that outlives it: enter {limit.isoformat()} or earlier."
            )
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["published_only"] and (others := set(attrs.get("codes") or ()) - PUBLISHED):
            raise serializers.ValidationError({"codes": [others_refused(others)]})
        return {"expires_at": self.context["request"].auth.expires_at, **attrs}


def others_refused(codes: Iterable[int]) -> str:
    """Say that a key for what is published can't have these codes."""
    known = " and ".join(map(str, sorted(PUBLISHED)))
    return f"A key that is published_only can use {known} alone; leave out {listed(sorted(codes))}, or published_only."
