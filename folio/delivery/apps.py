from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DeliveryConfig(AppConfig):
    name = "folio.delivery"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = _("What visitors read")
