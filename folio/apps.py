from django.apps import AppConfig
from django.core import checks


class FolioConfig(AppConfig):
    name = "folio"

    def ready(self) -> None:
        from .checks import (
            database_is_not_newer,
            installation_is_usable,
            metrics_are_not_open,
            servers_are_alike,
            variables_are_known,
        )
        from .postgresql.checks import pooler_is_known
        from .reports import begin

        begin()
        checks.register(installation_is_usable)
        checks.register(database_is_not_newer)
        checks.register(variables_are_known)
        checks.register(metrics_are_not_open)
        checks.register(servers_are_alike, checks.Tags.database)
        checks.register(pooler_is_known, checks.Tags.database)
