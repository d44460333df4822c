"""What is written as XML for feed readers and search engines: it leads to the pages of the website."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from io import StringIO
from typing import Any
from urllib.parse import SplitResult, urlsplit
from xml.sax.xmlreader import AttributesImpl

from django.conf import settings
from django.urls import reverse
from django.utils.encoding import iri_to_uri, punycode
from django.utils.xmlutils import SimplerXMLGenerator
from rest_framework.exceptions import NotFound
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from folio.api.parameters import checked
from folio.api.viewsets import base_url
from folio.portfolios.website import page_of

from .views import PublicView

NO_SITE = (
    "This leads to the pages of a website, which this server does not know. Whoever runs it can name them with the "
    "setting FOLIO_SITE_URL, such as https://studio.example/work/{slug}/, and a restart."
)
OFF = "the website's pages are not known, or public reading is off: `detail` says which setting helps."
# What XML 1.0 has no way to write, not even as a reference; most of it shows nothing.
NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def held(text: str) -> str:
    """Return a text without the characters that XML can't hold."""
    return NOT_IN_XML.sub("", text)


def moment(value: datetime) -> str:
    return value.isoformat().replace("+00:00", "Z")


def uri_of(address: str) -> str:
    """Return a web address in the letters that XML's readers insist on: a host of other scripts by its ASCII name."""
    parts = urlsplit(address)
    with suppress(UnicodeError):  # a name that no one can look up either stays as it was given
        host = punycode(parts.hostname or "")
        parts = SplitResult(parts.scheme, host if parts.port is None else f"{host}:{parts.port}", *parts[2:])
    return str(iri_to_uri(parts.geturl()))


def site() -> SplitResult:
    """Return the address of the website's first page, as far as that of a portfolio's page tells it."""
    parts = urlsplit(settings.SITE_URL.replace("{slug}.", "").replace("{slug}", ""))
    return SplitResult(parts.scheme, parts.netloc, "/", "", "")


def page(slug: str) -> str:
    """Return the address of a portfolio's page on the website."""
    return uri_of(page_of(slug) or "")


class Document:
    """XML that is being written."""

    def __init__(self) -> None:
        self.file = StringIO()
        self.handler = SimplerXMLGenerator(self.file, "utf-8")
        self.handler.startDocument()

    @contextmanager
    def element(self, name: str, attributes: Mapping[str, str] | None = None) -> Iterator[None]:
        """Write an element round what is written meanwhile."""
        self.handler.startElement(name, AttributesImpl(attributes or {}))
        yield
        self.handler.endElement(name)

    def text(self, name: str, text: str) -> None:
        """Write an element that holds a text."""
        self.handler.addQuickElement(name, held(text))

    def __str__(self) -> str:
        return self.file.getvalue()


class XMLRenderer(BaseRenderer):
    format = "xml"
    charset = "utf-8"

    def __init__(self, media_type: str) -> None:
        self.media_type = media_type

    def render(self, data: str, *args: Any) -> bytes:
        return data.encode()


class XMLView(PublicView):
    """A document in XML about the website's pages, which the installation has to know; its errors are JSON."""

    media_type: str
    url_name: str
    other_errors = {404: OFF[0].upper() + OFF[1:]}

    def takes_parameters(self) -> bool:
        return True

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.method != "OPTIONS":
            self.given = checked(request.query_params, self.parameters.get("get", {}))

    def get(self, request: Request) -> Response:
        if not settings.SITE_URL:
            raise NotFound(NO_SITE)
        written = self.written(request)
        request.accepted_renderer, request.accepted_media_type = XMLRenderer(self.media_type), self.media_type
        return Response(written)

    def written(self, request: Request) -> str:
        """Return the document."""
        raise NotImplementedError

    def address(self, request: Request) -> str:
        """Return the document's own address."""
        return f"{base_url(request)}{reverse(self.url_name)}"
