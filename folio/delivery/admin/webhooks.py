"""Webhooks: admins make, change and try them, and see what was told to them last."""

from types import SimpleNamespace
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from folio.access.admin.secrets import Copied, secret_page
from folio.admin.collisions import TellsCollisions
from folio.admin.opened import keyed_digest
from folio.admin.options import ResourceAdmin, in_one_write
from folio.history.changes import Changes, log

from ..models import Webhook, WebhookDelivery, events_in_words
from ..webhooks import masked, secret_of
from ..webhooks.entered import LookedUp
from ..webhooks.managing import renew_secret, send_test
from .forms import WebhookForm, nonce_of
from .words import outcome

LAST = ("state", "attempts", "attempted_at", "next_attempt_at", "status", "error")
SHOWN = 5  # deliveries beside the form


def with_last(webhooks: QuerySet[Webhook]) -> QuerySet[Webhook]:
    """Return webhooks with what is known of their last delivery, as `last_state` and so on."""
    newest = WebhookDelivery.objects.filter(webhook=OuterRef("pk")).order_by("-pk")
    return webhooks.annotate(**{f"last_{name}": Subquery(newest.values(name)[:1]) for name in LAST})


def last_of(webhook: Any) -> Any:
    """Return what is known of the last delivery, under a delivery's own names."""
    return SimpleNamespace(**{name: getattr(webhook, f"last_{name}") for name in LAST})


class AdminsOnly(ResourceAdmin):
    """Pages for admins: who else holds a permission, by whatever way, is not let in."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.is_admin(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.is_admin(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.is_admin(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.is_admin(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.is_admin(request)

    def is_admin(self, request: HttpRequest) -> bool:
        user: Any = request.user
        return bool(user.is_active and user.is_superuser)


@admin.register(Webhook)
class WebhookAdmin(TellsCollisions, AdminsOnly):
    """The secret is shown in the answer to what made it, and by no other page."""

    form = WebhookForm
    list_display = ("address", "told_of", "activity", "last")
    add_form_template = "folio/delivery/webhook_form.html"
    change_form_outer_after_template = "folio/delivery/webhook_after.html"
    readonly_fields = ("address", "last")
    show_full_result_count = False

    class Media:
        css = {"all": ["folio/access/access.css", "folio/delivery/webhooks.css"]}

    def get_urls(self) -> list[URLPattern]:
        secret = self.admin_site.admin_view(self.secret_view)
        test = self.admin_site.admin_view(require_POST(self.test_view))
        return [
            path("<int:pk>/secret/", secret, name="delivery_webhook_secret"),
            path("<int:pk>/test/", test, name="delivery_webhook_test"),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Webhook]:
        return with_last(super().get_queryset(request))

    # The list

    @admin.display(description=_("address"), ordering="url")
    def address(self, webhook: Webhook) -> str:
        return format_html('<bdi dir="ltr">{}</bdi>', masked(webhook.url))

    @admin.display(description=_("told of"))
    def told_of(self, webhook: Webhook) -> str:
        return events_in_words(webhook.events)

    @admin.display(description=_("active"), ordering="is_active", boolean=True)
    def activity(self, webhook: Webhook) -> bool:
        return webhook.is_active

    @admin.display(description=_("last delivery"))
    def last(self, webhook: Any) -> str:
        return outcome(last_of(webhook))

    # The form

    def get_fieldsets(self, request: HttpRequest, obj: Webhook | None = None) -> Any:
        fields = ("form" if obj is None else "address", "new_url", "events", "is_active")
        return ((None, {"fields": fields}),)

    def get_readonly_fields(self, request: HttpRequest, obj: Webhook | None = None) -> Any:
        return () if obj is None else ("address",)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        looked_up = getattr(request, "looked_up", None) or LookedUp()
        return type(form)(form.__name__, (form,), {"looked_up": looked_up})

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        return form.changes(is_new=add)

    def stored_values(self, context: Any) -> dict[str, Any]:
        return {**super().stored_values(context), "new_url": masked(context["adminform"].form.stored_url)}

    def typed_changes(self, context: Any) -> Changes:
        """Return what was typed, the address too: it still stands in the form of whoever typed it."""
        form = context["adminform"].form
        changes: Changes = form.changes(is_new=False)
        return {"new_url": (masked(form.stored_url), form.instance.url), **changes} if "url" in changes else changes

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        webhook = context["original"]
        context["show_save_and_add_another"] = False
        if webhook is not None:
            rows = webhook.deliveries.defer("body", "answer")[:SHOWN]
            context["deliveries"] = [(row, outcome(row)) for row in rows]
            context["all_deliveries"] = deliveries_of(webhook)
        return super().render_change_form(request, context, *args, **kwargs)

    def changeform_view(self, request: HttpRequest, object_id: str | None = None, *args: Any, **kwargs: Any) -> Any:
        """Answer with the form, and once only with the secret of what it makes: sent again, it leads to the list."""
        request.looked_up = LookedUp()  # type: ignore[attr-defined]
        if request.method == "POST" and self.is_admin(request):
            request.looked_up.look_up(request.POST.get("new_url"))  # type: ignore[attr-defined]
        show = super(ResourceAdmin, self).changeform_view
        is_new = request.method == "POST" and object_id is None
        return in_one_write(
            request, lambda: (is_new and self.tell_if_made(request)) or show(request, object_id, *args, **kwargs)
        )

    def tell_if_made(self, request: HttpRequest) -> HttpResponse | None:
        field = WebhookForm.base_fields["form"]
        try:
            form = field.clean(request.POST.get("form"))
        except ValidationError:
            return None
        if form is None or not Webhook.objects.filter(nonce=nonce_of(form)).exists():
            return None
        text = _("This form has made its webhook already. If its secret was lost, give the webhook another one.")
        messages.warning(request, text)
        return HttpResponseRedirect(reverse("admin:delivery_webhook_changelist"))

    def response_add(self, request: HttpRequest, obj: Webhook, post_url_continue: str | None = None) -> HttpResponse:
        return self.show_secret(request, obj, _("A new webhook"))

    # A try

    def test_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Send a message that names nothing, so that its receiver can be seen to answer."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        return in_one_write(request, lambda: self.test(request, pk))

    def test(self, request: HttpRequest, pk: int) -> HttpResponse:
        webhook = Webhook.objects.select_for_update().filter(pk=pk).first()
        if webhook is None:
            raise Http404
        try:
            delivery = send_test(webhook)
        except ValueError as error:
            messages.error(request, str(error))
            return HttpResponseRedirect(reverse("admin:delivery_webhook_change", args=[pk]))
        messages.success(request, _("A test is sent in a moment. Load this page again to see what comes of it."))
        return HttpResponseRedirect(reverse("admin:delivery_webhookdelivery_change", args=[delivery.pk]))

    # The secret

    def secret_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask whether a webhook is to get another secret; give it, and show it."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        return in_one_write(request, lambda: self.renew(request, pk))

    def renew(self, request: HttpRequest, pk: int) -> HttpResponse:
        rows = Webhook.objects.filter(pk=pk)
        webhook = (rows.select_for_update() if request.method == "POST" else rows).first()
        if webhook is None:
            raise Http404
        now = keyed_digest(webhook.nonce)
        if request.method != "POST":
            context = {**self.context_of(request, webhook), "title": _("Another secret"), "now": now}
            return TemplateResponse(request, "folio/delivery/renew.html", context)
        if request.POST.get("secret") != now:
            messages.warning(request, _("It has got another secret already since this page was opened."))
            return HttpResponseRedirect(reverse("admin:delivery_webhook_change", args=[pk]))
        log(request.user, webhook, CHANGE, renew_secret(webhook))
        return self.show_secret(request, webhook, _("Another secret"))

    def show_secret(self, request: HttpRequest, webhook: Webhook, title: Any) -> HttpResponse:
        return secret_page(
            request,
            {**self.context_of(request, webhook), "title": title},
            heading=format_html(
                gettext("The secret of {address}"), address=format_html('<bdi dir="ltr">{}</bdi>', masked(webhook.url))
            ),
            texts=[
                gettext(
                    "Copy it now to where messages are received, which checks by it that they are from here. "
                    "It is shown only here, only this once."
                ),
                gettext(
                    "A build hook that checks no signature, as those of Netlify, Vercel and Cloudflare, needs none: "
                    "its address is its secret."
                ),
            ],
            copies=[Copied("folio-secret", gettext("Secret"), secret_of(webhook), gettext("Copy the secret"))],
            next_url=reverse("admin:delivery_webhook_change", args=[webhook.pk]),
        )

    def context_of(self, request: HttpRequest, webhook: Webhook) -> dict[str, Any]:
        request.current_app = self.admin_site.name
        return {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "object": webhook,
            "address": masked(webhook.url),
        }

    # The end

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Return the webhooks alone: what was told to them goes with them, and may be thousands."""
        webhooks = list(objs)
        return [masked(webhook.url) for webhook in webhooks], {self.opts.verbose_name_plural: len(webhooks)}, set(), []


def deliveries_of(webhook: Webhook) -> str:
    """Return where all deliveries of a webhook are listed."""
    return f"{reverse('admin:delivery_webhookdelivery_changelist')}?webhook__id__exact={webhook.pk}"
