"""Objects of a bucket on their way out: asked for by one request where that can be, and sent on as they come."""

import posixpath
import re
from contextlib import closing
from io import BytesIO
from typing import Any, cast

from django.core.files.storage import default_storage
from django.http import HttpRequest

from .headers import START_SIZE, content_type_of, is_type_of
from .models import FOLDER
from .ranges import as_header, asked_bytes
from .s3 import Arriving, NotThere, ObjectStorage, received_range

CONDITIONS = ("If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since")
STRONG = re.compile(r'"[^"]*"')
LONGEST_NAME = 900  # bytes: with a prefix it fits into the 1,024 of a key


class Object:
    """An object by what one answer has told of it, which may be sending it already."""

    def __init__(self, storage: ObjectStorage, name: str, answer: dict[str, Any]) -> None:
        self.storage = storage
        self.name = name
        self.answer = answer
        self.received, self.size = received_range(answer)
        self.etag: str = answer["ETag"]
        self.modified: float = answer["LastModified"].timestamp()
        self.is_taken = False

    def part(self, sent: range) -> Arriving:
        """Return these bytes, of which none was read yet."""
        answer = self.answer
        if not sent:
            answer = {"Body": BytesIO(), "ETag": self.etag}
        elif "Body" not in answer or self.received != sent:
            self.close()
            answer = self.receive(sent)
        else:
            self.is_taken = True
        return Arriving(self.storage, self.name, answer, sent)

    def receive(self, sent: range) -> dict[str, Any]:
        asked = "" if len(sent) == self.size else as_header((sent.start, sent.stop - 1))
        try:
            answer = self.storage.receive(self.name, asked, self.etag)
        except NotThere as error:  # another one is there by now
            raise FileNotFoundError(self.name) from error
        if received_range(answer)[0] != sent:
            answer["Body"].close()
            raise FileNotFoundError(self.name)
        return answer

    def content_type(self) -> str:
        """Return what was said when it was put, unless another program has put it that says what Folio would not."""
        told = str(self.answer.get("ContentType", ""))
        return told if is_type_of(self.name, told) else content_type_of(self.name, self.start)

    def start(self) -> bytes:
        """Receive the beginning, as a file of this machine would be looked at."""
        if not self.size:
            return b""
        sent = range(min(START_SIZE, self.size))
        with closing(Arriving(self.storage, self.name, self.receive(sent), sent)) as part:
            return b"".join(iter(lambda: part.read(START_SIZE), b""))

    def close(self) -> None:
        """Give back what sends it, unless a part of it does."""
        if "Body" in self.answer and not self.is_taken:
            self.answer["Body"].close()


def find_object(request: HttpRequest, name: str, *, is_sent: bool = True) -> Object | None:
    """Return the object of a name, or None; as far as can be told with what the request asks for coming already.

    With `is_sent` false nothing comes of it. A condition is looked at first: a page that is asked for again mostly has
    what it needs.
    """
    if not may_be_named(name):
        return None
    storage = cast(ObjectStorage, default_storage)
    is_only_looked_at = not is_sent or request.method == "HEAD" or any(map(request.headers.get, CONDITIONS))
    try:
        answer = None if is_only_looked_at else begun(storage, request, name)
        return Object(storage, name, answer or storage.head(name))
    except FileNotFoundError:
        return None


def begun(storage: ObjectStorage, request: HttpRequest, name: str) -> dict[str, Any] | None:
    """Begin to receive what is asked for; return None where it has to be known first what is there."""
    asked, condition = asked_bytes(request), request.headers.get("If-Range")
    if asked is None:
        return storage.receive(name)
    if condition is not None and STRONG.fullmatch(condition) is None:  # a date, or what is none of both
        return None
    try:
        return storage.receive(name, as_header(asked), condition or "")
    except NotThere:
        return None


def may_be_named(name: str) -> bool:
    """Tell whether Folio may have put a file under a name. What else lies in a bucket is not everyone's to read."""
    try:
        is_short = len(name.encode()) <= LONGEST_NAME
    except UnicodeEncodeError:
        return False
    return is_short and name.startswith(f"{FOLDER}/") and posixpath.normpath(name) == name and "\0" not in name
