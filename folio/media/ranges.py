"""Which bytes of a file a request asks for (RFC 9110, 14)."""

import re

from django.http import HttpRequest

RANGE = re.compile(r"bytes=(?:([0-9]{1,18})-([0-9]{0,18})|-([0-9]{1,18}))", re.IGNORECASE)
Asked = tuple[int | None, int | None]  # the first byte and the last one; without a first, so many at the end


def asked_bytes(request: HttpRequest) -> Asked | None:
    """Return what `Range` asks for, of a file of whatever size.

    None stands for the whole file: no range, several of them, a malformed one, or one of another unit.
    """
    match = RANGE.fullmatch(request.headers.get("Range", "").strip())
    if match is None:
        return None
    first, last, suffix = match.groups()
    if suffix:
        return None, int(suffix)
    if last and int(last) < int(first):
        return None
    return int(first), int(last) if last else None


def asked_range(request: HttpRequest, size: int) -> range | None:
    """Return the bytes that `Range` asks for of a file of `size` bytes, empty where it has none of them."""
    asked = asked_bytes(request)
    if asked is None:
        return None
    first, last = asked
    if first is None:
        assert last is not None
        return range(max(0, size - last), size) if size or not last else None
    return range(first, size if last is None else min(size, last + 1))


def as_header(asked: Asked) -> str:
    """Return what asks a storage for the same."""
    first, last = asked
    return f"bytes={'' if first is None else first}-{'' if last is None else last}"
