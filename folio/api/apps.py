from django.apps import AppConfig
from django.db.backends.signals import connection_created

from .checks import register_checks
from .texts import install_fold


class ApiConfig(AppConfig):
    name = "folio.api"

    def ready(self) -> None:
        connection_created.connect(install_fold, dispatch_uid="folio.api.fold")
        register_checks()
