from django.apps import AppConfig


class ServerConfig(AppConfig):
    name = "folio.server"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from folio.tasks.registry import companions

        from .scheduled.maker import maker

        companions.append(maker)
