"""Bodies as they come in. What is wrong with one is told in words of its own, not in those of Python's readers."""

import json
from collections.abc import Mapping
from math import isinf
from typing import IO, Any, NoReturn, cast

from django.conf import settings
from django.utils.http import parse_header_parameters
from rest_framework import parsers
from rest_framework.exceptions import ParseError

from .errors import EncodedBody, TooLarge, is_encoded, shortened

DIGITS_OF_A_DOUBLE = 309  # of the largest one
SHOWN = 40  # characters of a key or a number that a message repeats
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def parse_json(body: bytes) -> Any:
    """Return the value that a body is in JSON; raise ValueError, in words for its sender, for what is none.

    So does what readers of JSON differ on: a key that stands twice in an object, of which some take the first, a number
    that no double holds, and half a surrogate pair, which is no text.
    """
    if body.startswith(BYTE_ORDER_MARK):
        raise ValueError("the body begins with a byte order mark. Send it without.")
    try:
        data = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=object_of,
            parse_constant=refuse_constant,
            parse_float=double_of,
            parse_int=integer_of,
        )
        if b"\\ud" in body.lower():
            json.dumps(data, ensure_ascii=False).encode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"the body is not UTF-8, at its byte {error.start + 1}.") from None
    except UnicodeEncodeError:
        raise ValueError("half of a surrogate pair, such as \\ud800, is no character.") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"the body is not JSON, at line {error.lineno}, column {error.colno}.") from None
    except RecursionError:
        raise ValueError("the body is nested too deeply.") from None
    return data


def object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"the key {quoted(twice)} is given twice in one object.")
    return found


def refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON value.")


def double_of(text: str) -> float:
    number = float(text)
    if isinf(number):
        raise ValueError(f"the number {shortened(text, SHOWN)} is too large.")
    return number


def integer_of(text: str) -> int:
    if len(text) >= DIGITS_OF_A_DOUBLE:
        double_of(text)
    return int(text)


def quoted(text: str) -> str:
    return json.dumps(shortened(text, SHOWN), ensure_ascii=True)


class JSONParser(parsers.BaseParser):
    """Reads a body as JSON in UTF-8, of at most `DATA_UPLOAD_MAX_MEMORY_SIZE` bytes."""

    media_type = "application/json"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        if is_encoded((parser_context or {})["request"]):
            raise EncodedBody
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise TooLarge(f"The body is larger than {limit} bytes, the most that is accepted.")
        try:
            return parse_json(body)
        except ValueError as error:
            raise ParseError(f"JSON parse error - {error}") from None


class Watched:
    """A form on its way in, of which it is seen whether its last part is complete: Django takes half of a field."""

    def __init__(self, stream: IO[bytes], boundary: str) -> None:
        self.stream = stream
        self.closing = f"--{boundary}--".encode(errors="replace")
        self.end = b""
        self.has_ended = False

    def read(self, size: int = -1) -> bytes:
        data = self.stream.read(size)
        self.end += data
        self.has_ended = self.has_ended or self.closing in self.end
        self.end = self.end[-len(self.closing) :]
        return data


def boundary_of(media_type: str) -> str:
    return parse_header_parameters(media_type)[1].get("boundary", "")


def close_files(form: Any) -> None:
    for _name, files in form.files.lists():
        for file in files:
            file.close()


class MultiPartParser(parsers.MultiPartParser):
    """Reads a form with files."""

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        if is_encoded((parser_context or {})["request"]):
            raise EncodedBody
        watched = Watched(stream, boundary_of(media_type or ""))
        try:
            form = super().parse(cast(IO[bytes], watched), media_type, parser_context)
        except ParseError:
            raise ParseError(
                "The form can't be read. Send multipart/form-data as RFC 7578 has it, with its boundary in the "
                "Content-Type."
            ) from None
        if not watched.has_ended:
            close_files(form)
            raise ParseError("The form ends before its closing boundary. Nothing of it was kept; send it again.")
        return form
