"""The box for a description, which is Markdown: buttons for its marks, and a preview that the server renders."""

import re
from typing import Any

from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_POST
from unfold.widgets import UnfoldAdminTextareaWidget

from folio.admin.options import answer_in_json, json_body, may_see, unreadable
from folio.api.fields import BIGGEST
from folio.api.viewsets import base_url
from folio.media.documents import MediaPool
from folio.media.models import Media

from ..markdown import rendered

MARKS = re.compile(r"([\\`*_\[\]<>&!~])")  # that may mean something within an alt text


class MarkdownBox(UnfoldAdminTextareaWidget):
    """A box for a text in Markdown, with its marks as buttons; without scripts it is a plain one."""

    template_name = "folio/portfolios/markdown.html"
    may_pick = False  # whether the user sees the library

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(name, value, attrs)
        context["url"] = reverse("admin:portfolios_portfolio_markdown")
        context["library"] = reverse("admin:media_media_pick")
        context["may_pick"] = self.may_pick
        return context


class DescribePages:
    """What the box asks the server for."""

    admin_site: Any

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.markdown_view))
        return [
            path("markdown/", view, name="portfolios_portfolio_markdown"),
            *super().get_urls(),  # type: ignore[misc]
        ]

    def get_form(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        form = super().get_form(request, *args, **kwargs)  # type: ignore[misc]
        box = form.base_fields.get("description")
        if box is not None and isinstance(box.widget, MarkdownBox):
            box.widget.may_pick = may_see(request, Media)
        return form

    def markdown_view(self, request: HttpRequest) -> HttpResponse:
        """Answer with a text's HTML, or with the mark of a picture; nothing is stored."""
        return answer_in_json(lambda: self.markdown_of(request))

    def markdown_of(self, request: HttpRequest) -> dict[str, Any]:
        if not (self.has_add_permission(request) or self.has_change_permission(request)):  # type: ignore[attr-defined]
            raise PermissionDenied
        body = json_body(request)
        if set(body) == {"media"}:
            return {"text": picture_mark(request, body["media"])}
        text = body.get("text")
        if set(body) != {"text"} or not isinstance(text, str):
            raise BadRequest(unreadable())
        return {"html": rendered(text, base_url(request))}


def picture_mark(request: HttpRequest, pk: Any) -> str:
    """Return the mark of an image of the library: its largest thumbnail, by an address that outlives another host."""
    if not may_see(request, Media):
        raise PermissionDenied(gettext("You may not see the media library. Ask an administrator for that permission."))
    if type(pk) is not int or not 0 <= pk <= BIGGEST:
        raise BadRequest(unreadable())
    media = Media.objects.images().filter(pk=pk).first()
    if media is None:
        raise Media.DoesNotExist(gettext("This picture is not there any more. Choose another one."))
    largest = media.thumbnails.order_by("-size").first()
    url = MediaPool((), "").url(str(largest.file if largest else media.file))
    address = url.replace("(", "%28").replace(")", "%29")  # which would end it
    alt = MARKS.sub(r"\\\1", " ".join(media.alt.split()))
    return f"![{alt}]({address})"
