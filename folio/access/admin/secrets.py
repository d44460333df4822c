"""The page that shows a secret: once, to be copied."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse


class Copied(NamedTuple):
    """A text in a box, and the button that copies it."""

    id: str  # of the box in the page
    label: str
    value: str
    button: str


def secret_page(
    request: HttpRequest,
    context: dict[str, Any],
    *,
    heading: str,
    texts: Sequence[str],
    copies: Sequence[Copied],
    next_url: str,
) -> HttpResponse:
    """Show a secret. No session, message, address or log gets it, and no cache may keep this page."""
    shown = {**context, "heading": heading, "texts": texts, "copies": copies, "next": next_url}
    response = TemplateResponse(request, "folio/access/secret.html", shown)
    response.headers["Cache-Control"] = "no-store"
    return response
