from collections.abc import Iterable
from typing import Annotated

from folio.api.documents import Document, Id, Moment, about

from .models import Token as TokenModel

Name = Annotated[str, about("What the key is for.")]
Codes = Annotated[
    list[int] | None, about("The permission codes that the key is narrowed to; null is all that its owner may.")
]
Expiry = Annotated[Moment | None, about("From then on the key is worth nothing; null is never.")]
PublishedOnly = Annotated[
    bool, about("Whether it reads portfolios that are published, by the codes 4202 and 4203, and nothing else.")
]
TOKEN_FIELDS = ("id", "name", "codes", "created_at", "expires_at", "published_only")


class Token(Document):
    """A key's description; the key itself is never told again."""

    id: Id
    name: Name
    codes: Codes
    created_at: Annotated[Moment, about("When it was made.")]
    expires_at: Expiry
    published_only: PublishedOnly

    @classmethod
    def read(cls, ids: Iterable[int], base: str) -> dict[int, "Token"]:
        rows = TokenModel.objects.filter(pk__in=list(ids)).values(*TOKEN_FIELDS)
        return {row["id"]: cls(**row) for row in rows}


class NewToken(Token):
    """A new key's description with the key, this once."""

    key: Annotated[str, about("What `Authorization: Token <key>` takes. Folio keeps its digest alone.")]


class CurrentToken(Document):
    """The key that asked."""

    id: Id
    name: Name
    codes: Codes
    expires_at: Expiry
    published_only: PublishedOnly


class Me(Document):
    """Who a key belongs to, and what it can do."""

    username: Annotated[str, about("The key's owner.")]
    is_staff: Annotated[bool, about("Whether the owner may do what is granted, and open the admin site.")]
    is_admin: Annotated[bool, about("Whether the owner may do everything.")]
    permission_codes: Annotated[list[int], about("Those that this key can use now.")]
    token: Annotated[CurrentToken, about("The key that asked.")]


class PermissionCode(Document):
    """What a permission code stands for."""

    code: Annotated[int, about("The stable name of one action on one resource.")]
    resource: Annotated[str, about("As in the resource's address, such as `portfolios`.")]
    action: Annotated[str, about("`create`, `list`, `retrieve`, `update` or `delete`.")]
