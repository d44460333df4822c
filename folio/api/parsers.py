import json
from collections.abc import Mapping
from typing import IO, Any, NoReturn

from django.conf import settings
from rest_framework import parsers
from rest_framework.exceptions import ParseError

from .errors import TooLarge


def refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON value")


def parse_json(body: bytes) -> Any:
    """Return the value that a body is in JSON; raise ValueError for one that is malformed, or that is no UTF-8."""
    try:
        data = json.loads(body.decode("utf-8"), parse_constant=refuse_constant)
        if b"\\ud" in body.lower():
            json.dumps(data, ensure_ascii=False).encode("utf-8")  # half a surrogate pair is no text
    except RecursionError:
        raise ValueError("the body is nested too deeply.") from None
    return data


class JSONParser(parsers.BaseParser):
    """Reads a body as JSON in UTF-8, of at most `DATA_UPLOAD_MAX_MEMORY_SIZE` bytes."""

    media_type = "application/json"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise TooLarge(f"The body is larger than {limit} bytes, the most that is accepted.")
        try:
            return parse_json(body)
        except ValueError as error:  # malformed, not UTF-8, or a number of too many digits
            raise ParseError(f"JSON parse error - {error}") from None
