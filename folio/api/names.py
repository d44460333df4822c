"""What rows and their columns are called on the admin site, in its reader's language.

Django takes a column's name from the attribute's. Naming each again, for the translators, would double every line of
the models and put the words into migrations, so the names that Django took are made translatable where they are.
"""

from django.apps import apps
from django.db.models import Field, ForeignObjectRel
from django.utils.translation import gettext_lazy, gettext_noop

# The translators' tool finds words only where they stand; a test knows which are needed.
WORDS = (
    gettext_noop("API key"),
    gettext_noop("API keys"),
    gettext_noop("alt"),
    gettext_noop("codes"),
    gettext_noop("completed at"),
    gettext_noop("created at"),
    gettext_noop("description"),
    gettext_noop("digest"),
    gettext_noop("dominant color"),
    gettext_noop("employer"),
    gettext_noop("employers"),
    gettext_noop("excerpt"),
    gettext_noop("expires at"),
    gettext_noop("file"),
    gettext_noop("gallery image"),
    gettext_noop("gallery images"),
    gettext_noop("form"),
    gettext_noop("height"),
    gettext_noop("image"),
    gettext_noop("images"),
    gettext_noop("is active"),
    gettext_noop("key"),
    gettext_noop("last used at"),
    gettext_noop("link"),
    gettext_noop("links"),
    gettext_noop("media"),
    gettext_noop("meta"),
    gettext_noop("mime type"),
    gettext_noop("mode"),
    gettext_noop("name"),
    gettext_noop("order"),
    gettext_noop("place"),
    gettext_noop("placeholder"),
    gettext_noop("portfolio"),
    gettext_noop("portfolios"),
    gettext_noop("SHA-256"),
    gettext_noop("size"),
    gettext_noop("slug"),
    gettext_noop("tag"),
    gettext_noop("tags"),
    gettext_noop("thumbnail"),
    gettext_noop("thumbnails"),
    gettext_noop("title"),
    gettext_noop("type"),
    gettext_noop("updated at"),
    gettext_noop("url"),
    gettext_noop("user"),
    gettext_noop("value file"),
    gettext_noop("value text"),
    gettext_noop("width"),
    gettext_noop("year"),
)


def make_names_translatable() -> None:
    """Let the names of Folio's models and their columns follow the language that is spoken."""
    for app in apps.get_app_configs():
        for model in app.get_models(include_auto_created=True) if app.name.startswith("folio.") else ():
            meta = model._meta
            meta.verbose_name = gettext_lazy(str(meta.verbose_name))
            meta.verbose_name_plural = gettext_lazy(str(meta.verbose_name_plural))
            for field in meta.get_fields():
                if isinstance(field, Field) and not isinstance(field, ForeignObjectRel):
                    field.verbose_name = gettext_lazy(str(field.verbose_name))
