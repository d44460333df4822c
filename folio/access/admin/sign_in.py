"""The admin site's sign-in, which tells how long to wait after too many failures."""

from typing import Any

from django.core.exceptions import ValidationError
from unfold.forms import AuthenticationForm

from ..attempts import TooManyAttempts


class SignInForm(AuthenticationForm):
    """Django's form, and a sentence for whoever has failed too often."""

    def clean(self) -> dict[str, Any]:
        try:
            return super().clean()
        except TooManyAttempts as error:
            raise ValidationError(str(error), code="too_many") from error
