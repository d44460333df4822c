"""What rows and their columns are called on the admin site, in its reader's language.

Django takes a column's name from the attribute's. Naming each again, for the translators, would double every line of
the models and put the words into migrations, so the names that Django took are made translatable where they are.
"""

from django.apps import apps
from django.db.models import Field
from django.utils.translation import gettext_lazy


def make_names_translatable() -> None:
    """Let the names of Folio's models and their columns follow the language that is spoken."""
    for app in apps.get_app_configs():
        for model in app.get_models(include_auto_created=True) if app.name.startswith("folio.") else ():
            meta = model._meta
            meta.verbose_name = gettext_lazy(str(meta.verbose_name))
            meta.verbose_name_plural = gettext_lazy(str(meta.verbose_name_plural))
            for field in meta.get_fields():
                if isinstance(field, Field):
                    field.verbose_name = gettext_lazy(str(field.verbose_name))
