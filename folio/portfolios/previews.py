"""Links that show an entry before it is published, to whoever has one.

A token is signed, and stored nowhere. It says which entry it shows, who made it, when it ends, and the entry's preview
generation; raising that ends all of the entry's at once. See docs/decisions/0049-preview-links.md.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import msgspec
from django.contrib.admin.models import CHANGE
from django.contrib.auth.models import User
from django.core.signing import BadSignature, Signer
from django.db.models import F
from django.utils import timezone

from folio.access.codes import RESOURCES
from folio.access.grants import granted_codes
from folio.api.documents import URL, Document, Moment, about
from folio.history.changes import log

from .models import Portfolio
from .website import preview_page_of

SALT = "folio.portfolios.previews"  # what is signed elsewhere is none of these, and the other way round
TOKEN = re.compile(r"[A-Za-z0-9_-]{1,200}\.[A-Za-z0-9_-]{43}")
USUAL, LONGEST = timedelta(days=7), timedelta(days=30)
CODE = RESOURCES["portfolios"]["update"].code
Held = tuple[int, int, int, int]  # by a token: the portfolio, its maker, its end, the portfolio's generation
LINK = "preview_link"  # as the history calls it: until when one was made, or nothing where all were ended


class Preview(Document):
    """A link that shows one entry, though it is not published."""

    url: Annotated[
        URL | None, about("Where the website shows it, to be passed on; null where the installation knows no website.")
    ]
    token: Annotated[str, about("The value of `preview` at the entry's public address. It is told this once.")]
    expires_at: Annotated[Moment, about("When it ends.")]


def share(user: Any, pk: int, lasts: timedelta, *, key: str = "") -> Preview:
    """Make a link in the caller's transaction, and record it; `key` is the name of the API key that asked.

    Raise Portfolio.DoesNotExist where the portfolio is gone.
    """
    portfolio = Portfolio.objects.select_for_update().get(pk=pk)
    end = int(timezone.now().timestamp()) + int(lasts.total_seconds())
    token = signer().sign_object([portfolio.pk, user.pk, end, portfolio.preview_generation])
    expires_at = datetime.fromtimestamp(end, UTC)
    log(user, portfolio, CHANGE, {LINK: (None, expires_at.isoformat())}, token=key)
    return Preview(preview_page_of(portfolio.slug, token), token, expires_at)


def end_all(user: Any, pk: int, *, key: str = "") -> None:
    """End all links of a portfolio in the caller's transaction, and record it.

    Nothing that is shown of it has changed, so neither has `updated_at`. Raise Portfolio.DoesNotExist where it is gone.
    """
    portfolio = Portfolio.objects.select_for_update().get(pk=pk)
    Portfolio.objects.filter(pk=pk).update(preview_generation=F("preview_generation") + 1)
    log(user, portfolio, CHANGE, {LINK: (portfolio.preview_generation, None)}, token=key)


def shown_by(token: str) -> Portfolio | None:
    """Return the entry that a token shows, marked with whether it is published; None where it shows nothing (more)."""
    if not TOKEN.fullmatch(token):
        return None
    try:
        pk, maker, end, generation = msgspec.convert(signer().unsign_object(token), Held)
    except (BadSignature, ValueError, msgspec.ValidationError):  # the latter of what another version has signed
        return None
    if end <= timezone.now().timestamp() or not may_share(maker):
        return None
    rows = Portfolio.objects.marked().filter(pk=pk, preview_generation=generation)
    return rows.order_by().only("slug").first()


def may_share(user_pk: int) -> bool:
    """Tell whether a user is active and may change portfolios, as those must whose links are to show anything."""
    user = User.objects.filter(pk=user_pk).first()
    return user is not None and CODE in granted_codes(user)


def signer() -> Signer:
    return Signer(salt=SALT, sep=".")
