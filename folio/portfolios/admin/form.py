"""The form of a portfolio."""

from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextareaWidget

from folio.api.admin import TextBoxField

MAX_ORDER = 2**31 - 1


class PortfolioForm(forms.ModelForm):  # type: ignore[type-arg]
    order = forms.IntegerField(
        min_value=-MAX_ORDER - 1, max_value=MAX_ORDER, initial=0, widget=UnfoldAdminIntegerFieldWidget
    )

    class Meta:
        field_classes = {"excerpt": TextBoxField}
        widgets = {"excerpt": UnfoldAdminTextareaWidget({"rows": 3})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "slug" in self.fields:
            self.fields["slug"].allow_unicode = True  # type: ignore[attr-defined]  # for the script that fills it in
