"""Conditions of writes: `If-Match` and `If-Unmodified-Since`, with which nobody overwrites what they have not seen.

A write that takes them is judged within its own transaction, once its row is locked: of two with the same condition,
the second to get the lock sees what the first has left. See docs/decisions/0022-conditions-of-writes.md.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from django.utils.http import http_date, parse_http_date
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from folio.snapshots.etags import digest_of, etag_of, etags_of

from .errors import PreconditionFailed

IF_MATCH, IF_UNMODIFIED_SINCE = "If-Match", "If-Unmodified-Since"
PLACES = {IF_MATCH: "HTTP_IF_MATCH", IF_UNMODIFIED_SINCE: "HTTP_IF_UNMODIFIED_SINCE"}  # in a request's environment
UNTAKEN = {
    IF_MATCH: "This request takes no If-Match. PUT, PATCH and DELETE do, of what can be read by itself.",
    IF_UNMODIFIED_SINCE: (
        "This request takes no If-Unmodified-Since. PUT, PATCH and DELETE of portfolios and media do; other resources "
        "take If-Match."
    ),
}
# One entity tag of a list, in which empty items are let pass (RFC 9110, 5.6.1.2 and 8.8.3).
ENTITY_TAG = re.compile(r'[ \t,]*((?:W/)?"[!#-~\x80-\xff]*")[ \t]*(?:,[ \t,]*|$)')
NO_TAGS = """Enter '*' or entity tags in their quotes, such as "5f2b", separated by commas; not '{value}'."""
NO_DATE = "Enter a date such as Sun, 06 Nov 1994 08:49:37 GMT, not '{value}'."
SHOWN = 100  # characters of a value, in what is said of it


class Dated(msgspec.Struct):
    """What a document tells of when it was changed, if it does."""

    updated_at: datetime | None = None


class Conditions(NamedTuple):
    """What a request asks to be so before it changes anything."""

    etags: frozenset[str] | None = None  # of which one must be the row's; `*` is any
    since: int | None = None  # in seconds since the epoch, after which the row must not have changed

    def judge(self, documents: Sequence[bytes], noun: str) -> None:
        """Raise PreconditionFailed, with the tags that the row has now, unless its document is as the request asks.

        `documents` are the forms in which the row may have been read, the plain one first.
        """
        document = documents[0]
        if self.etags is not None:
            name = IF_MATCH
            is_met = "*" in self.etags or any(
                not self.etags.isdisjoint(etags_of(digest_of(form))) for form in documents
            )
        elif self.since is not None:
            name = IF_UNMODIFIED_SINCE
            modified = modified_at(document)
            is_met = modified is not None and modified <= self.since
        else:
            return
        if not is_met:
            detail = f"This {noun} is not as {name} says: it was changed since. Nothing was changed now; read it again."
            raise PreconditionFailed(detail, headers=validators(document))


NO_CONDITIONS = Conditions()


def conditions_of(request: Request, taken: Collection[str]) -> Conditions:
    """Return a request's conditions; raise ValidationError for those that are not `taken`, or that can't be read."""
    given = {name: request.META[place] for name, place in PLACES.items() if place in request.META}
    if not given:
        return NO_CONDITIONS
    if untaken := {name: [UNTAKEN[name]] for name in given if name not in taken}:
        raise ValidationError(untaken)
    if IF_MATCH in given:  # the other one is then to be ignored (RFC 9110, 13.1.4)
        return Conditions(etags=parse_etags(given[IF_MATCH]))
    return Conditions(since=parse_date(given[IF_UNMODIFIED_SINCE]))


def parse_etags(value: str) -> frozenset[str]:
    """Return the entity tags of `If-Match`, weak ones too, which are never a row's; or `*` for any."""
    if value.strip() == "*":
        return frozenset("*")
    tags, end = [], 0
    while match := ENTITY_TAG.match(value, end):
        tags.append(match[1])
        end = match.end()
    if not tags or end < len(value):
        raise ValidationError({IF_MATCH: [NO_TAGS.format(value=value[:SHOWN])]})
    return frozenset(tags)


def parse_date(value: str) -> int:
    try:
        return parse_http_date(value.strip())
    except ValueError:
        raise ValidationError({IF_UNMODIFIED_SINCE: [NO_DATE.format(value=value[:SHOWN])]}) from None


def validators(document: bytes) -> dict[str, str]:
    """Return the headers that a plain read of this document would tell its state by."""
    return {"ETag": etag_of(digest_of(document)), **last_modified(document)}


def last_modified(document: bytes) -> Mapping[str, str]:
    """Return `Last-Modified`, of a document that tells when it was changed."""
    modified = modified_at(document)
    return {} if modified is None else {"Last-Modified": http_date(modified)}


def modified_at(document: bytes) -> int | None:
    """Return when a document was changed, rounded up to the next second, in seconds since the epoch.

    Rounded down, what changed later in that second would pass for unchanged.
    """
    moment = decoder.decode(document).updated_at
    return None if moment is None else int(moment.replace(microsecond=0).timestamp()) + (moment.microsecond > 0)


decoder: Any = msgspec.json.Decoder(Dated)
