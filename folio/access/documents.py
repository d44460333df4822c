from collections.abc import Iterable
from datetime import datetime

from folio.api.documents import Document

from .models import Token as TokenModel

TOKEN_FIELDS = ("id", "name", "codes", "created_at", "expires_at")


class Token(Document):
    """A key's description; the key itself is never told again."""

    id: int
    name: str
    codes: list[int] | None
    created_at: datetime
    expires_at: datetime | None

    @classmethod
    def read(cls, ids: Iterable[int], base: str) -> dict[int, "Token"]:
        rows = TokenModel.objects.filter(pk__in=list(ids)).values(*TOKEN_FIELDS)
        return {row["id"]: cls(**row) for row in rows}


class NewToken(Token):
    """A new key's description with the key, this once."""

    key: str


class CurrentToken(Document):
    """The key that asked."""

    id: int
    name: str
    codes: list[int] | None
    expires_at: datetime | None


class Me(Document):
    """Who a key belongs to, and what it can do."""

    username: str
    is_staff: bool
    is_admin: bool
    permission_codes: list[int]
    token: CurrentToken


class PermissionCode(Document):
    """What a permission code stands for."""

    code: int
    resource: str
    action: str
