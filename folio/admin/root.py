"""What is asked at the root of a server: what runs here, its sign, and what crawlers may read."""

from functools import cache
from pathlib import Path

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import get_script_prefix
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

ICON = Path(__file__).parent / "static" / "folio" / "admin" / "favicon.ico"
DAY = 24 * 60 * 60  # seconds


@csrf_exempt  # anything but a read is refused as such
@require_safe
def root(request: HttpRequest) -> HttpResponse:
    """Say what runs here, and lead to what people come for."""
    return render(request, "folio/admin/root.html")


@csrf_exempt
@require_safe
@cache_control(public=True, max_age=DAY)
def favicon(request: HttpRequest) -> HttpResponse:
    return HttpResponse(icon(), content_type="image/x-icon")


@csrf_exempt
@require_safe
@cache_control(public=True, max_age=DAY)
def robots(request: HttpRequest) -> HttpResponse:
    """Keep crawlers out of everything but the media, which websites show: a search for images may find them there."""
    prefix = get_script_prefix()
    return HttpResponse(
        f"User-agent: *\nAllow: {prefix}media/\nDisallow: {prefix}\n", content_type="text/plain; charset=utf-8"
    )


@cache
def icon() -> bytes:
    return ICON.read_bytes()
