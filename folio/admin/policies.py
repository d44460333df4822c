"""What a browser may do with a page of Folio; docs/decisions/0014-content-security-policy.md tells why."""

from collections.abc import Callable
from functools import cache
from urllib.parse import urlsplit

from django.conf import settings
from django.core.files.storage import default_storage
from django.http import HttpRequest, HttpResponse

OWN = ("/api/", "/media/", "/static/")  # what is no page, or says itself what may be done with it
PERMISSIONS = ", ".join(
    f"{feature}=()"
    for feature in ("camera", "display-capture", "geolocation", "microphone", "payment", "serial", "usb")
)


class PoliciesMiddleware:
    """Says on every page that nothing but Folio's own files may run, be shown or be asked there."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not request.path_info.startswith(OWN):
            response.headers.setdefault("Content-Security-Policy", page_policy())
            response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        return response


@cache
def page_policy() -> str:
    """Return the policy of the admin site's pages; only media may come from elsewhere, where they are kept there."""
    addresses = [default_storage.url("any")]
    if settings.MEDIA_SIGNED:  # where requests for files are sent to
        addresses.append(default_storage.signed_url("any", 60, "image/png"))  # type: ignore[attr-defined]
    places = [f"{parts.scheme}://{parts.netloc}" for parts in map(urlsplit, addresses) if parts.netloc]
    media = " ".join(["'self'", *places])
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            # Style attributes are how unfold and Alpine give widths and pictures; a style element is never needed.
            "style-src 'self' 'unsafe-inline'",  # for browsers that don't know the two below
            "style-src-elem 'self'",
            "style-src-attr 'unsafe-inline'",
            f"img-src {media} data: blob:",
            f"media-src {media} blob:",
            "font-src 'self'",
            "connect-src 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "object-src 'none'",
        )
    )
