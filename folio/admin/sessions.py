"""Sessions of the admin site: how they are kept, what a page asks of its own, and what is said when it is over."""

import hashlib
from typing import Any

from django.contrib import admin
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from folio.api.errors import wants_json


def digest_of(key: str) -> str:
    """Return what a session is stored under, as much of a SHA-256 as the column holds.

    A key is drawn from more than 160 random bits, so that a plain digest of that length can't be searched.
    """
    return hashlib.sha256(key.encode()).hexdigest()[:40]


class SessionStore(DatabaseStore):
    """Django's sessions in the database, found by a digest of the cookie's key: who reads the table can't sign in."""

    def _get_session_from_db(self) -> Any:
        alive = self.model.objects.filter(expire_date__gt=timezone.now())
        found = alive.filter(session_key=digest_of(self.session_key)).first() if self.session_key else None
        if found is None:
            self._session_key = None
        return found

    def exists(self, session_key: str) -> bool:
        return super().exists(digest_of(session_key))

    def create_model_instance(self, data: dict[str, Any]) -> Any:
        row = super().create_model_instance(data)
        row.session_key = digest_of(row.session_key)
        return row

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key:
            super().delete(digest_of(key))

    # Django's own for the database would go to the table with the key itself.
    aload = SessionBase.aload
    aexists = SessionBase.aexists
    acreate = SessionBase.acreate
    asave = SessionBase.asave
    adelete = SessionBase.adelete


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
