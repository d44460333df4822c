"""How a page of the admin site travels: compressed, and without scripts that keep it from being shown."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.middleware.gzip import GZipMiddleware
from django.urls import reverse

from .policies import OWN

TRANSLATED = ("actions.js", "calendar.js", "DateTimeShortcuts.js", "inlines.js", "SelectFilter2.js")  # by jsi18n
COMPRESSIBLE = ("text/", "application/json", "application/javascript")


class PagesMiddleware(GZipMiddleware):
    """Compresses pages, and lets their scripts wait until the page is there.

    Django's own compression adds up to a hundred random bytes, so that the length of a page tells little of what is in
    it: docs/decisions/0028-weight-of-pages.md. The API's answers and files have forms of their own.
    """

    def process_template_response(self, request: HttpRequest, response: Any) -> HttpResponse:
        context = response.context_data or {}
        if isinstance(context.get("media"), forms.Media):
            context["media"] = deferred(context["media"])
        return response

    def process_response(self, request: HttpRequest, response: Any) -> Any:
        kind = response.headers.get("Content-Type", "")
        if response.streaming or request.path_info.startswith(OWN) or not kind.startswith(COMPRESSIBLE):
            return response
        return super().process_response(request, response)


def deferred(media: forms.Media) -> forms.Media:
    """Return the same files, with scripts that run in their order once the page is there, as modules do anyway."""
    given: Any = media
    scripts: list[Any] = [forms.Script(one, defer=True) if isinstance(one, str) else one for one in given._js]
    if any(str(getattr(one, "_path", one)).endswith(TRANSLATED) for one in given._js):
        scripts.insert(0, forms.Script(reverse("admin:jsi18n"), defer=True))
    return forms.Media(css=given._css, js=scripts)
