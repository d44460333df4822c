"""A portfolio as a visitor's page would show it, and as the API answers it, before anyone else can see it."""

import re
from dataclasses import dataclass
from typing import Any

import msgspec
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from folio.api.fields import IDENTIFIER
from folio.api.renderers import encoder
from folio.api.viewsets import base_url
from folio.media.admin import shown_url
from folio.media.documents import Image
from folio.media.models import Media
from folio.media.pixels import fit

from .. import documents, publishing
from ..markdown import rendered
from ..models import SCHEDULE, Portfolio
from ..website import preview_page_of
from .states import stated

TOKENS = re.compile(r'("(?:[^"\\]|\\.)*")(\s*:)?|(-?\d[\d.eE+-]*)|\b(true|false|null)\b')
KINDS = {1: "text", 3: "number", 4: "word"}  # by the group of the expression that matched
INDENT = 2


@dataclass
class Picture:
    """An image by its thumbnails: `src` is the largest, `small` one for a row of a list."""

    src: str
    srcset: str
    small: str
    width: int
    height: int
    alt: str
    placeholder: str


class PreviewPages:
    """The preview, beside the form of a portfolio."""

    admin_site: Any
    actions_detail: tuple[str, ...] = ("preview",)

    @action(description=_("Preview"), url_path="preview", icon="visibility")  # type: ignore[untyped-decorator]
    def preview(self, request: HttpRequest, object_id: str) -> HttpResponse:
        pk = int(object_id) if IDENTIFIER.fullmatch(object_id) else 0
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        document = documents.Portfolio.read([pk], base_url(request)).get(pk)
        if document is None:
            raise Http404
        is_json = request.GET.get("as") == "json"
        context = as_json(request, document) if is_json else as_page(document, base_url(request))
        context |= {"entry": document, "is_json": is_json, "site_title": settings.UNFOLD["SITE_TITLE"]}
        context["may_share"] = publishing.may_publish(request.user)
        context["has_page"] = preview_page_of(document.slug, "") is not None
        context["stated"] = state_of(pk)
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "folio/portfolios/preview.html", context)


def state_of(pk: int) -> str:
    """Return the entry's state in words."""
    row = Portfolio.objects.only(*SCHEDULE).filter(pk=pk).first()
    return "" if row is None else stated(row, row.state_at(timezone.now()))


def as_page(document: documents.Portfolio, base: str) -> dict[str, Any]:
    """Return what the page shows beside the document: its text as HTML, and its pictures with alt texts."""
    description = mark_safe(rendered(document.description or "", base))  # noqa: S308  sanitised
    employer = document.employer_data
    logo_data = employer.image_data if employer else None
    images: list[Image | None] = [document.image_data, logo_data, *document.images_data]
    images += [link.image_data for link in document.links_data]
    known = Media.objects.in_bulk({image.id for image in images if image})
    cover, logo, *rest = [picture(image, known) for image in images]
    count = len(document.images_data)
    links = list(zip(document.links_data, rest[count:], strict=True))
    shown = [each for each in rest[:count] if each]
    return {"description": description, "cover": cover, "logo": logo, "gallery": shown, "links": links}


def picture(image: Image | None, known: dict[int, Media]) -> Picture | None:
    """Return an image's thumbnails for the page; None where it has none, for originals are never shown."""
    if image is None or not image.thumbnails:
        return None
    urls = [(each.size, shown_url(each.f, each.id, image.f)) for each in image.thumbnails]
    sizes = {url: fit((image.width, image.height), size) for size, url in urls}
    largest = urls[-1][1]
    width, height = sizes[largest]
    media = known.get(image.id)
    return Picture(
        src=largest,
        srcset=", ".join(f"{url} {size[0]}w" for url, size in sizes.items()),
        small=next((url for size, url in urls if size >= 128), largest),
        width=width,
        height=height,
        alt=media.alt if media else "",
        placeholder=media.placeholder if media else "",
    )


def as_json(request: HttpRequest, document: documents.Portfolio) -> dict[str, Any]:
    """Return what the API answers, to read, and how to ask it."""
    text = msgspec.json.format(encoder.encode(document), indent=INDENT).decode()
    ways = ((_("By its id"), "portfolios-detail", document.id), (_("By its slug"), "portfolios-slug", document.slug))
    commands = [(label, curl(request.build_absolute_uri(reverse(name, args=[key])))) for label, name, key in ways]
    return {"json": highlighted(text), "commands": commands}


def curl(url: str) -> str:
    return f'curl --header "Authorization: Token YOUR_KEY" "{url}"'


def highlighted(text: str) -> SafeString:
    """Return JSON as HTML, each of its values with a class."""
    pieces: list[tuple[Any, ...]] = []
    end = 0
    for match in TOKENS.finditer(text):
        kind = "key" if match[2] else KINDS[next(group for group in KINDS if match[group])]
        value = match[match.lastindex if kind != "key" and match.lastindex else 1]
        pieces.append((text[end : match.start()], kind, value))
        end = match.start() + len(value)
    coloured = format_html_join("", '{}<span class="json-{}">{}</span>', pieces)
    return format_html("{}{}", coloured, text[end:])
