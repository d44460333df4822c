"""What a form was opened with, as digests that are sent back with it: they tell who has changed what meanwhile."""

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from folio.history.changes import plain

OPENED = "_opened"  # the form's hidden field


class Opened(msgspec.Struct):
    """The digests of what was stored, by the names of the fields, and when; none where the form did not say."""

    digests: dict[str, str] = {}
    at: float = 0  # in seconds of the epoch

    @classmethod
    def sent(cls, request: HttpRequest) -> "Opened":
        try:
            return msgspec.json.decode(request.POST.get(OPENED, ""), type=cls)
        except msgspec.DecodeError:
            return cls()

    @classmethod
    def now(cls, values: Mapping[str, Any]) -> "Opened":
        return cls({name: digest(value) for name, value in values.items()}, time.time())

    def has_become(self, name: str, value: Any) -> bool:
        """Tell whether a field was opened with something else."""
        return name in self.digests and self.digests[name] != digest(value)

    def is_still(self, name: str, value: Any) -> bool:
        return self.digests.get(name) == digest(value)

    def is_untouched(self, box: forms.BoundField) -> bool:
        """Tell whether a field is sent as it was opened."""
        try:
            return self.is_still(box.name, box.field.clean(box.data))
        except ValidationError:
            return False

    def __str__(self) -> str:
        return msgspec.json.encode(self).decode()


def digest(value: Any) -> str:
    return keyed_digest(msgspec.json.encode(comparable(value), enc_hook=str, order="sorted"))[:16]


def keyed_digest(value: str | bytes) -> str:
    """Return a digest that a page can carry: without the key, nobody finds by trying what it was made of."""
    return salted_hmac("folio.admin.opened", value, algorithm="sha256").hexdigest()


def comparable(value: Any) -> Any:
    """Return a value as it comes back from a form that nobody touches; a list's rows without their ids."""
    match plain(value):
        case list(items):
            return [comparable(item) for item in items]
        case dict(row):
            return {name: comparable(item) for name, item in list(row.items())[1:]}
        case str(text):
            return text.replace("\r\n", "\n").strip() or None
        case datetime() as moment:
            return moment.replace(microsecond=0)
        case other:
            return other
