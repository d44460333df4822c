from django.apps import AppConfig
from django.db.models.signals import pre_delete


class PortfoliosConfig(AppConfig):
    name = "folio.portfolios"

    def ready(self) -> None:
        from .services import touch_tagged

        pre_delete.connect(touch_tagged, sender="portfolios.Tag", dispatch_uid="folio.portfolios.touch_tagged")
