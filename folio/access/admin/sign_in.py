"""The admin site's sign-in, which tells how long to wait after too many failures."""

from typing import Any, cast

from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from unfold.forms import AuthenticationForm

from ..attempts import TooManyAttempts
from ..known import remember


class SignInForm(AuthenticationForm):
    """Django's form, and a sentence for whoever has failed too often."""

    def clean(self) -> dict[str, Any]:
        try:
            return super().clean()
        except TooManyAttempts as error:
            raise ValidationError(str(error), code="too_many") from error


@never_cache
def sign_in(request: HttpRequest) -> HttpResponse:
    """Answer with the site's own page, and have the browser remember that its owner has signed in there."""
    response: HttpResponse = admin.site.login(request)
    if request.method == "POST" and response.status_code == 302:
        remember(response, cast(User, request.user))
    return response
