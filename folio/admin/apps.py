from django.apps import AppConfig

from .names import make_names_translatable


class AdminConfig(AppConfig):
    name = "folio.admin"
    label = "folio_admin"  # Django's own admin site has the short one

    def ready(self) -> None:
        make_names_translatable()
