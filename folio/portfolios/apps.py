from django.apps import AppConfig
from django.db.models.signals import pre_delete
from django.utils.translation import gettext_lazy as _


class PortfoliosConfig(AppConfig):
    name = "folio.portfolios"
    verbose_name = _("Portfolios")

    def ready(self) -> None:
        from . import showing  # noqa: F401 - it tells which media are public
        from .services import touch_tagged

        pre_delete.connect(touch_tagged, sender="portfolios.Tag", dispatch_uid="folio.portfolios.touch_tagged")
