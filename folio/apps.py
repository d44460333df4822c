from django.apps import AppConfig
from django.core import checks


class FolioConfig(AppConfig):
    name = "folio"

    def ready(self) -> None:
        from .checks import installation_is_usable, variables_are_known

        checks.register(installation_is_usable)
        checks.register(variables_are_known)
