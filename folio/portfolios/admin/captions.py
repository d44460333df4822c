"""The captions of a gallery in a form: sent beside its pictures, each under the picture's id."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from folio.api.fields import IDENTIFIER
from folio.api.texts import normal

from ..models import PortfolioImage
from ..services import as_items

LONGEST: int = PortfolioImage._meta.get_field("caption").max_length  # type: ignore[assignment]


class CaptionsInput(forms.Widget):
    """Reads what the gallery's own template shows: `captions` says that they were sent, `captions-88` is one."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> dict[str, str] | None:
        if name not in data:
            return None
        return {key.removeprefix(f"{name}-"): data[key] for key in data if key.startswith(f"{name}-")}

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return name not in data


class CaptionsField(forms.Field):
    """The captions of a gallery as the history keeps them; None where the form sent none, and none are changed."""

    widget = CaptionsInput
    default_error_messages = {
        "too_long": _("The caption of a picture is too long: %(count)s characters, of at most %(most)s."),
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"required": False, **kwargs})
        self.text = forms.CharField(required=False)

    @staticmethod
    def texts_of(value: Any) -> dict[str, str]:
        """Return a value of the field as texts by the ids of the pictures."""
        return dict(value) if isinstance(value, Mapping) else {str(row["media"]): row["caption"] for row in value or ()}

    def clean(self, value: Any) -> list[dict[str, Any]] | None:
        if value is None:
            return None
        given = {int(pk): self.one(text) for pk, text in self.texts_of(value).items() if IDENTIFIER.fullmatch(pk)}
        return as_items(given)

    def one(self, text: str) -> str:
        """Return a caption as it is stored; raise ValidationError for one that can't be."""
        cleaned = normal(self.text.clean(text).replace("\r\n", "\n"))
        if len(cleaned) > LONGEST:
            params = {"count": len(cleaned), "most": LONGEST}
            raise ValidationError(self.error_messages["too_long"], code="too_long", params=params)
        return cleaned

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            cleaned = self.clean(data)
        except ValidationError:
            return True
        return not self.disabled and cleaned is not None and cleaned != (initial or [])
