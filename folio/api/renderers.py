from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from rest_framework import renderers
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request


def encode_other(value: Any) -> Any:
    """Make plain what msgspec doesn't know: subclasses of `str` and `dict`, texts to be translated."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (list, tuple)):
        return list(value)
    return str(value)


encoder = msgspec.json.Encoder(enc_hook=encode_other)


class JSONRenderer(renderers.BaseRenderer):
    """Writes documents and errors as JSON in UTF-8."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        return b"" if data is None else encoder.encode(data)


class ContentNegotiation(DefaultContentNegotiation):
    """Chooses as Django REST framework does, at once for the client that takes anything, as most do."""

    def select_renderer(
        self, request: Request, renderers: Iterable[renderers.BaseRenderer], format_suffix: str | None = None
    ) -> tuple[renderers.BaseRenderer, str]:
        if request.META.get("HTTP_ACCEPT", "*/*") == "*/*":
            first = next(iter(renderers))
            return first, first.media_type
        return super().select_renderer(request, renderers, format_suffix)
