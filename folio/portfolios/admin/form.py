"""The form of a portfolio."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from folio.admin.collisions import Collision, newest_since_opened
from folio.admin.moments import is_shown_as
from folio.admin.options import MomentField, TextBoxField
from folio.admin.zoned import ZonedMomentField
from folio.media.admin.cards import cards_of, read
from folio.media.admin.pickers import GalleryField

from .. import publishing
from ..models import SCHEDULE, Employer, Portfolio, PortfolioImage, PortfolioTag, State, Tag
from ..reordering import LEAST, MOST
from ..services import as_items, replace_through, set_captions
from .captions import CaptionsField
from .collisions import Published, may_type, publications_of
from .describing import DescribePages, MarkdownBox
from .editing import EditPages
from .states import in_sentences, standing, with_moment
from .type_ahead import TypeAheadField, TypeAheadListField, make_url
from .unpublishing import still_read, with_link

FIXED = ("fixed_cover", "fixed_gallery", "fixed_tags")  # what stands for the fields of those who may only look


class MomentInput(forms.SplitDateTimeWidget):
    """The browser's own inputs for a day and a time."""

    template_name = "folio/portfolios/moment.html"

    def __init__(self) -> None:
        look = UnfoldAdminTextInputWidget().attrs["class"]
        day: Any = {"type": "date", "class": look, "aria-label": _("Date")}
        time: Any = {"type": "time", "class": look, "aria-label": _("Time (UTC)")}
        super().__init__(date_format="%Y-%m-%d", time_format="%H:%M:%S", date_attrs=day, time_attrs=time)

    def decompress(self, value: Any) -> Any:
        """Show no text that an address gives: it is read nowhere."""
        return super().decompress(value if isinstance(value, datetime) else None)


class PortfolioForm(forms.ModelForm):  # type: ignore[type-arg]
    order = forms.IntegerField(
        label=pgettext_lazy("place among others", "Order"),
        min_value=LEAST,
        max_value=MOST,
        initial=0,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text=_("Lower numbers come first."),
    )
    images = GalleryField(required=False, label=_("Gallery"), captions="gallery", cover="image")
    gallery = CaptionsField(label=_("Captions"))  # called as the history calls the rows that have them
    employer = TypeAheadField(
        Employer.objects.all(), "portfolios.portfolio.employer", required=False, label=_("Employer")
    )
    tags = TypeAheadListField(Tag.objects.all(), "portfolios.portfolio.tags", required=False, label=_("Tags"))
    completed_at = MomentField(
        required=False,
        label=_("Completed"),
        widget=MomentInput,
        help_text=_("The time is in UTC; a date alone is its midnight."),
        error_messages={"invalid_date": _("Enter a date such as 2024-12-12; a time alone is not enough.")},
    )

    publish_at = ZonedMomentField(
        label=_("Publish on"), help_text=_("Left empty, it is published as soon as “Publish” is on.")
    )
    unpublish_at = ZonedMomentField(label=_("End on"), help_text=_("Left empty, it stays published."))

    user: Any = None

    class Meta:
        exclude = ("images", "tags")  # noqa: DJ006  # what the fields above take, and saved by their own service
        labels = {"image": _("Cover"), "is_active": _("Publish"), "preview_link": _("Preview link")}
        field_classes = {"excerpt": TextBoxField}
        widgets = {
            "excerpt": UnfoldAdminTextareaWidget({"rows": 3}),
            "description": MarkdownBox({"rows": 10}),
            "slug": UnfoldAdminTextInputWidget({"dir": "auto", "autocapitalize": "off", "spellcheck": "false"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.is_new = self.instance.pk is None
        if "images" in self.fields and not self.is_new:
            captions = dict(self.instance.gallery.values_list("media", "caption"))
            self.initial.setdefault("images", list(captions))
            self.initial.setdefault("gallery", as_items(captions))
        if "images" in self.fields:
            self.fields["images"].widget.is_new = self.is_new
        if "tags" in self.fields and not self.is_new:
            self.initial.setdefault("tags", list(self.instance.placed_tags.values_list("tag", flat=True)))
        for name, model in (("employer", Employer), ("tags", Tag)):
            if name in self.fields:
                self.fields[name].widget.make_url = make_url(model, self.user)
        if "excerpt" in self.fields:
            excerpt = self.fields["excerpt"].widget.attrs
            excerpt["data-count-to"] = excerpt.pop("maxlength")  # browsers would cut what is pasted, without a word

    def clean_completed_at(self) -> Any:
        """Return the moment; one that is as it was shown keeps the fractions of a second that no box shows."""
        was, now = self.instance.completed_at, self.cleaned_data["completed_at"]
        return was if was and was.replace(microsecond=0) == now else now

    def clean_publish_at(self) -> Any:
        return self.kept_moment("publish_at")

    def clean_unpublish_at(self) -> Any:
        return self.kept_moment("unpublish_at")

    def kept_moment(self, name: str) -> Any:
        """Return the moment; one that looks as it was shown is the stored one, which the boxes may not tell wholly.

        They show no fractions of a second, and nothing tells in them which of two equal times is meant when clocks
        are put back.
        """
        was, now = getattr(self.instance, name), self.cleaned_data[name]
        if was is None or now is None:
            return now
        field: Any = self.fields[name]
        sent = field.widget.value_from_datadict(self.data, self.files, self.add_prefix(name))
        return was if is_shown_as(was, now, field.zone_of(sent)) else now

    def clean(self) -> Any:
        given: Any = super().clean()
        begin, end = given.get("publish_at"), given.get("unpublish_at")
        if begin is not None and end is not None and end <= begin:
            said = gettext("It has to end after it is published: enter a moment after {moment}, or leave this empty.")
            self.add_error("unpublish_at", with_moment(said, begin))
        if given.get("gallery") is not None and "images" in given:  # the caption of what left the gallery goes with it
            shown = {image.pk for image in given["images"]}
            given["gallery"] = [item for item in given["gallery"] if item["media"] in shown]
        return given

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        for name in ("title", "slug"):
            if self.has_error(name, "unique"):
                self.lead_to_the_other(name)

    def lead_to_the_other(self, name: str) -> None:
        """Add a link to the entry that has this title or slug already, for those who may see it."""
        others = Portfolio.objects.exclude(pk=self.instance.pk).filter(**{name: getattr(self.instance, name)})
        other = others.only("title").first()
        if other is None or not publishing.may_view(self.user):
            return
        url = reverse("admin:portfolios_portfolio_change", args=(other.pk,))
        text = gettext("Open “%(title)s” in another tab") % {"title": other.title}
        link = format_html('<a href="{}" target="_blank">{}</a>', url, text)
        for error in self.errors[name].as_data():
            if error.code == "unique":
                said = format_html("{} {}.", " ".join(error.messages), link)
                error.message, error.params = said, None

    def _save_m2m(self) -> None:
        super()._save_m2m()  # type: ignore[misc]
        lists: Any = (("images", PortfolioImage, "media"), ("tags", PortfolioTag, "tag"))
        for name, through, column in lists:
            if name in self.changed_data:
                rows = self.cleaned_data[name]
                replace_through(self.instance, through, column, rows, is_new=self.is_new)
        if "gallery" in self.changed_data:
            set_captions(self.instance, {item["media"]: item["caption"] for item in self.cleaned_data["gallery"]})


class FormPages(DescribePages, EditPages):
    """The pages with a portfolio's form: what they show and take depends on whether the user drafts or publishes."""

    scripts = ("slug", "count", "rows", "markdown", "schedule")
    styles = ("states",)

    def has_view_permission(self, request: HttpRequest, obj: Portfolio | None = None) -> bool:
        return publishing.may_view(request.user)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return publishing.may_add(request.user)

    def has_change_permission(self, request: HttpRequest, obj: Portfolio | None = None) -> bool:
        return may_type(request, obj)

    def get_collision(self, request: HttpRequest, row: Portfolio) -> Collision:
        if publishing.may_change(request.user, row):
            return super().get_collision(request, row)
        is_scheduled = row.state_at(timezone.now()) == State.SCHEDULED
        return Published(newest_since_opened(publications_of(row), request), is_scheduled=is_scheduled)

    def get_form(self, request: HttpRequest, obj: Portfolio | None = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        form.user = request.user
        return form

    def get_changeform_initial_data(self, request: HttpRequest) -> Any:
        """Return what an empty form shows: an entry is looked at before it is published."""
        given: Any = super().get_changeform_initial_data(request)  # type: ignore[misc]
        return {"is_active": False, **given}

    def get_fieldsets(self, request: HttpRequest, obj: Portfolio | None = None) -> Any:
        may_publish = publishing.may_publish(request.user, is_new=obj is None)
        state = ("live_standing", *SCHEDULE) if may_publish else ("standing",)
        dates: tuple[str, ...] = ("created_at", "updated_at") if obj else ()
        is_fixed = obj is not None and not self.has_change_permission(request, obj)
        cover, gallery, tags = FIXED if is_fixed else ("image", "images", "tags")
        return (
            (_("Entry"), {"fields": ("title", "slug", "excerpt", "description")}),
            (_("Pictures"), {"fields": (cover, gallery)}),
            (_("Work"), {"fields": ("employer", tags, "completed_at")}),
            (_("On the website"), {"fields": (*state, "order", *dates), "classes": ("folio-aside",)}),
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Portfolio | None = None) -> Any:
        given: Any = super().get_readonly_fields(request, obj)  # type: ignore[misc]
        may_publish = publishing.may_publish(request.user, is_new=obj is None)
        return (*given, "standing", "live_standing", *FIXED, *(() if may_publish else ("order", *SCHEDULE)))

    def save_model(self, request: HttpRequest, obj: Portfolio, form: Any, change: bool) -> None:
        if not publishing.may_publish(request.user, is_new=not change):
            obj.is_active = False  # what they may change is a draft, and what they add becomes one
        changed = set(form.changed_data) & set(SCHEDULE)
        moment = timezone.now()
        before, after = as_stored(form).state_at(moment) if change else State.DRAFT, obj.state_at(moment)
        request.has_another_state = after != before or not changed <= {"is_active"}  # type: ignore[attr-defined]
        is_taken_back = after != before and (before == State.PUBLISHED or after == State.DRAFT)
        has_end = "unpublish_at" in changed and obj.unpublish_at is not None and obj.is_active
        request.has_unpublished = is_taken_back or has_end  # type: ignore[attr-defined]
        super().save_model(request, obj, form, change)  # type: ignore[misc]

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        context["show_save_and_add_another"] = False
        context["show_save_and_preview"] = True
        form = context["adminform"].form
        form.instance.as_stored = as_stored(form)
        return super().render_change_form(request, context, *args, **kwargs)

    def response_add(self, request: HttpRequest, obj: Portfolio, post_url_continue: str | None = None) -> HttpResponse:
        answer: HttpResponse = super().response_add(request, obj, post_url_continue)  # type: ignore[misc]
        tell_state(request, obj)
        return self.preview_of(request, obj) or answer

    def response_change(self, request: HttpRequest, obj: Portfolio) -> HttpResponse:
        answer: HttpResponse = super().response_change(request, obj)  # type: ignore[misc]
        tell_state(request, obj)
        return self.preview_of(request, obj) or answer

    def preview_of(self, request: HttpRequest, obj: Portfolio) -> HttpResponse | None:
        """Lead to the preview of what was saved, if that was asked for."""
        if "_preview" not in request.POST:
            return None
        return HttpResponseRedirect(reverse("admin:portfolios_portfolio_preview", args=(obj.pk,)))

    @admin.display(description=_("State"))
    def standing(self, portfolio: Portfolio) -> str:
        """Say who may read the entry, to those who don't decide it."""
        return standing(stored_of(portfolio), drafts=True)

    @admin.display(description=_("State"))
    def live_standing(self, portfolio: Portfolio) -> str:
        """Say who may read the entry, and with a script who will once the form is saved."""
        return standing(stored_of(portfolio), drafts=False)

    @admin.display(description=_("Cover"))
    def fixed_cover(self, portfolio: Portfolio) -> str:
        return pictures([portfolio.image_id] if portfolio.image_id else [])

    @admin.display(description=_("Gallery"))
    def fixed_gallery(self, portfolio: Portfolio) -> str:
        captions = dict(portfolio.gallery.values_list("media", "caption"))
        return pictures(list(captions), captions)

    @admin.display(description=_("Tags"))
    def fixed_tags(self, portfolio: Portfolio) -> str:
        return ", ".join(portfolio.placed_tags.values_list("tag__name", flat=True))


def as_stored(form: Any) -> Portfolio:
    """Return a portfolio that is published as the form's is in the database; what was typed is in the form's own."""
    row: Portfolio = form.instance
    if row.pk is None:
        return Portfolio(is_active=False)
    return Portfolio(**{name: form.initial.get(name, getattr(row, name)) for name in SCHEDULE})


def stored_of(portfolio: Portfolio) -> Portfolio:
    stored: Portfolio = getattr(portfolio, "as_stored", portfolio)
    return stored


def tell_state(request: HttpRequest, portfolio: Portfolio) -> None:
    """Tell who has saved an entry when it is published, if that was changed, and who reads it though it is not."""
    if getattr(request, "has_another_state", False):
        messages.info(request, in_sentences(portfolio))
    if getattr(request, "has_unpublished", False):
        messages.info(request, with_link(request, still_read(request)))


def pictures(ids: list[int], captions: Mapping[int, str | None] | None = None) -> str:
    """Return media as those see them who may not choose others: their pictures in this order, with their texts."""
    known = read(ids)
    cards = cards_of(known[str(pk)] for pk in ids)
    for card in cards:
        card["caption"] = (captions or {}).get(card["id"])
    return render_to_string("folio/portfolios/pictures.html", {"cards": cards}) if cards else ""
