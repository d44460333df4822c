"""What webhooks were told in the last 30 days, what came of it, and sending it again."""

import json
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE
from django.contrib.admin.utils import flatten_fieldsets
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.contrib.filters.admin import RadioFilter

from folio.admin.options import in_one_write
from folio.history.changes import log

from ..models import DeliveryState, Event, WebhookDelivery
from ..webhooks import masked
from ..webhooks.managing import sent_again
from .webhooks import AdminsOnly
from .words import moment, outcome, visible

TOLD = 20  # entries of a message that its page shows; the others are counted


class StateFilter(RadioFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return DeliveryState.choices

    def queryset(self, request: HttpRequest, queryset: QuerySet[WebhookDelivery]) -> QuerySet[WebhookDelivery]:
        return queryset.filter(state=self.value()) if self.value() else queryset


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(AdminsOnly):
    """To be looked at, and sent again; nobody makes, changes or deletes one."""

    list_display = ("made", "address", "in_words", "answered", "again")
    list_filter = (StateFilter,)
    list_filter_submit = True
    list_select_related = ("webhook",)
    list_per_page = 20
    list_max_show_all = 0
    show_full_result_count = False
    linked_lookups = ("webhook__id__exact",)
    actions = None
    change_form_template = "folio/delivery/delivery_form.html"
    change_form_outer_after_template = "folio/delivery/delivery_after.html"

    class Media:
        css = {"all": ["folio/delivery/webhooks.css"]}

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.send_view))
        return [path("<int:pk>/send/", view, name="delivery_webhookdelivery_send"), *super().get_urls()]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[WebhookDelivery]:
        """Return the deliveries; a list of them goes without the texts, which no row of it shows."""
        rows: QuerySet[WebhookDelivery] = super().get_queryset(request).select_related("webhook")
        match = request.resolver_match
        is_list = match is not None and (match.url_name or "").endswith("_changelist")
        return rows.defer("body", "answer") if is_list else rows

    def get_fieldsets(self, request: HttpRequest, obj: WebhookDelivery | None = None) -> Any:
        """Return what there is to be told."""
        if obj is None:
            return ()
        last = {"last_try": obj.attempted_at, "answered": obj.status, "reason": obj.error, "answer_as_text": obj.answer}
        told = [name for name, value in last.items() if value]
        return (
            (None, {"fields": ("address", "made", "in_words", "tries", *told)}),
            (_("What was told"), {"fields": ("told", "message", "body_as_text")}),
        )

    def get_readonly_fields(self, request: HttpRequest, obj: WebhookDelivery | None = None) -> Any:
        return flatten_fieldsets(self.get_fieldsets(request, obj))

    # In words

    @admin.display(description=_("put together"), ordering="pk")
    def made(self, delivery: WebhookDelivery) -> str:
        return moment(delivery.created_at)

    @admin.display(description=_("address"))
    def address(self, delivery: WebhookDelivery) -> str:
        return format_html('<bdi dir="ltr">{}</bdi>', masked(delivery.webhook.url))

    @admin.display(description=_("state"))
    def in_words(self, delivery: WebhookDelivery) -> str:
        return outcome(delivery)

    @admin.display(description=_("attempts"))
    def tries(self, delivery: WebhookDelivery) -> str:
        return str(delivery.attempts)

    @admin.display(description=_("last attempt"))
    def last_try(self, delivery: WebhookDelivery) -> str:
        return moment(delivery.attempted_at)

    @admin.display(description=_("answer’s status"))
    def answered(self, delivery: WebhookDelivery) -> str:
        return str(delivery.status or "")

    @admin.display(description=_("what was wrong"))
    def reason(self, delivery: WebhookDelivery) -> str:
        return format_html('<span dir="auto">{}</span>', visible(delivery.error))

    @admin.display(description=_("answer (its first 2 KB)"))
    def answer_as_text(self, delivery: WebhookDelivery) -> str:
        return as_text(visible(delivery.answer))

    @admin.display(description=_("entries"))
    def told(self, delivery: WebhookDelivery) -> str:
        return told_in_words(delivery.body)

    @admin.display(description="webhook-id")
    def message(self, delivery: WebhookDelivery) -> str:
        return format_html('<bdi dir="ltr">{}</bdi>', delivery.message_id)

    @admin.display(description=_("body"))
    def body_as_text(self, delivery: WebhookDelivery) -> str:
        return as_text(visible(delivery.body))

    @admin.display(description="")
    def again(self, delivery: WebhookDelivery) -> str:
        """Return a button of the list's own form, which brings its token along."""
        if delivery.state == DeliveryState.WAITING:
            return ""
        button = '<button class="folio-button folio-delivery-again" formaction="{}" aria-label="{}">{}</button>'
        return format_html(
            button,
            reverse("admin:delivery_webhookdelivery_send", args=[delivery.pk]),
            gettext("Send again what was put together on %(moment)s") % {"moment": moment(delivery.created_at)},
            gettext("Send again"),
        )

    # Again

    def send_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        if not self.is_admin(request):
            raise PermissionDenied
        return in_one_write(request, lambda: self.send(request, pk))

    def send(self, request: HttpRequest, pk: int) -> HttpResponse:
        delivery = WebhookDelivery.objects.select_for_update().filter(pk=pk).first()
        if delivery is None:
            messages.error(request, _("This was deleted meanwhile."))
            return HttpResponseRedirect(reverse("admin:delivery_webhookdelivery_changelist"))
        try:
            log(request.user, delivery.webhook, CHANGE, sent_again(delivery))
            text = _("It will be sent again in a moment. Load this page again to see what comes of it.")
            messages.success(request, text)
        except ValueError as error:
            messages.error(request, str(error))
        return HttpResponseRedirect(reverse("admin:delivery_webhookdelivery_change", args=[pk]))


def as_text(text: str) -> str:
    """Return a text as it is: nothing in it is HTML, and its direction ends with it."""
    return format_html('<pre class="folio-delivery-text" dir="auto" tabindex="0">{}</pre>', text) if text else ""


def told_in_words(body: str) -> str:
    """Return which entries a message tells of, and what became of them."""
    try:
        data = json.loads(body)["data"]
    except (ValueError, KeyError, TypeError):
        return ""
    entries = data.get("portfolios")
    if entries is None:
        return gettext("More than are named: the receiver is to read the manifest")
    words = dict(Event.choices)
    lines = [f"{entry.get('slug')}: {words.get(entry.get('event'), entry.get('event'))}" for entry in entries[:TOLD]]
    if len(entries) > TOLD:
        others = len(entries) - TOLD
        lines.append(ngettext("and %(count)d more", "and %(count)d more", others) % {"count": others})
    return format_html('<span class="folio-delivery-lines" dir="auto">{}</span>', "\n".join(lines))
