"""The examples of the documentation, compared with real answers key by key."""

import json
import re
from pathlib import Path
from typing import Any

PAGES = Path(__file__).resolve().parent / "pages"  # what the API's two reference pages show
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z")
FILE_URL = re.compile(r"http://[^/]+/media/core_media/\d{4}/\d\d/\d\d/(.+)")
FOLDER = re.compile(r"http://[^/ ]+/media/core_media/\d{4}/\d\d/\d\d/")


def page(name: str) -> Any:
    return json.loads((PAGES / name).read_text())


def settled(document: Any, *, encoded_elsewhere: tuple[str, ...] = ()) -> Any:
    """Return a document with the names of formats in place of the values that differ between installations.

    Each such value is checked to be of its format; everything else, the order of the keys too, stays as it is.
    `encoded_elsewhere` are the names of files whose size is another encoder's.
    """
    if isinstance(document, list):
        return [settled(item, encoded_elsewhere=encoded_elsewhere) for item in document]
    if not isinstance(document, dict):
        return document
    result = {}
    for key, value in document.items():
        if key == "id":
            assert type(value) is int
            result[key] = "an id"
        elif key in {"created_at", "updated_at"}:
            assert MOMENT.fullmatch(value)
            result[key] = "a moment"
        elif key == "f":
            match = FILE_URL.fullmatch(value)
            assert match
            result[key] = match[1]
        elif isinstance(value, str) and key in {"src", "original", "srcset", "share_image"}:
            result[key] = FOLDER.sub("", value)
        elif key in {"size", "human_readable_size"} and document.get("name") in encoded_elsewhere:
            assert isinstance(value, int if key == "size" else str)
            result[key] = "a size"
        else:
            result[key] = settled(value, encoded_elsewhere=encoded_elsewhere)
    return result
