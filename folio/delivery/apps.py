from django.apps import AppConfig
from django.db.models.signals import post_save, pre_delete
from django.utils.translation import gettext_lazy as _


class DeliveryConfig(AppConfig):
    name = "folio.delivery"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = _("What visitors read")

    def ready(self) -> None:
        from folio.tasks.registry import companions

        from .webhooks.following import follow_saved, lock_deleted
        from .webhooks.teller import teller

        uid = "folio.delivery.webhooks"
        post_save.connect(follow_saved, sender="delivery.Webhook", dispatch_uid=uid)
        pre_delete.connect(lock_deleted, sender="delivery.Webhook", dispatch_uid=uid)
        companions.append(teller)
