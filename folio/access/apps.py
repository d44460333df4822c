from django.apps import AppConfig


class AccessConfig(AppConfig):
    name = "folio.access"
    default_auto_field = "django.db.models.BigAutoField"
