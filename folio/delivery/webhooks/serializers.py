"""What comes in for webhooks."""

from collections import Counter
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from folio.api.serializers import StrictModelSerializer, StrictSerializer, kind_of, listed

from ..models import Event, Webhook
from . import documents
from .entered import LookedUp


class AddressField(serializers.CharField):
    """Where a webhook is told, in the form in which its server knows it; what it was read as leaves it as it is."""

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        webhook = getattr(self.root, "instance", None)
        looked_up: LookedUp = self.context["looked_up"]
        try:
            return looked_up.address(text, webhook.url if webhook else "")
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from None


@extend_schema_field(
    {
        "type": "array",
        "items": {"type": "string", "enum": list(Event.values)},
        "minItems": 1,
        "uniqueItems": True,
    }
)
class EventsField(serializers.Field):  # type: ignore[type-arg]
    """Words for what may become of an entry, in an order of their own."""

    default_error_messages = {
        "not_a_list": "Enter a list of events, not {kind}.",
        "empty": "Enter at least one event. Allowed: {allowed}.",
        "unknown": "There is no event {events}. Allowed: {allowed}.",
        "repeated": "Give each event once; {events} is repeated.",
    }

    def to_internal_value(self, data: Any) -> list[str]:
        allowed = ", ".join(Event.values)
        if not isinstance(data, list):
            self.fail("not_a_list", kind=kind_of(data))
        if not data:
            self.fail("empty", allowed=allowed)
        unknown = [event for event in data if not isinstance(event, str) or event not in Event.values]
        if unknown:
            self.fail("unknown", events=listed(unknown), allowed=allowed)
        if repeated := [event for event, count in Counter(data).items() if count > 1]:
            self.fail("repeated", events=listed(repeated))
        return [event for event in Event.values if event in data]

    def to_representation(self, value: Any) -> Any:
        return value


class WebhookSerializer(StrictModelSerializer):
    """A webhook to be made or changed. Its secret is not chosen: it is told once, when it is made or renewed."""

    url = AddressField(
        max_length=2000, help_text="`https://…` or `http://…`, of a host that everyone can reach. It may be a secret."
    )
    events = EventsField(required=False, help_text="Of what it is told; of all, unless said otherwise.")
    is_active = serializers.BooleanField(required=False, help_text="Whether it is told anything; by default it is.")

    class Meta:
        model = Webhook
        document = documents.Webhook
        fields = ("url", "events", "is_active")


class NothingSerializer(StrictSerializer):
    """No body, or an empty object: all is said by the address."""
