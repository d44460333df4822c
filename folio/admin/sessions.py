"""What a page of the admin site asks before it sends a form, and what is said to one that has outlived its session."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from folio.api.errors import wants_json


@never_cache
@require_safe
def session(request: HttpRequest) -> JsonResponse:
    """Answer with who is signed in to the admin site, if anyone is, and the token that their forms need now."""
    user = str(request.user.pk) if admin.site.has_permission(request) else None
    return JsonResponse({"user": user, "token": get_token(request)})


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form whose token is out of date, as after a sign-in in another tab, or that came from elsewhere."""
    if wants_json(request):
        detail = _(
            "This page is out of date: you have signed out or in again since it was opened. "
            "Copy what you have typed, and load it again."
        )
        return JsonResponse({"detail": detail}, status=403)
    return render(request, "folio/admin/csrf_failure.html", status=403)
