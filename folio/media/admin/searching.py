"""Finding media in the library and the pickers: by their own texts, and by the entries that show them."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.db.models import Model, Q, QuerySet

from folio.api.texts import MAX_SEARCH_WORDS, search
from folio.api.usage import Relation, owners, relations_to

from ..models import Media

TITLES = ("title", "name")  # the field that a row is called by, the first that its model has


def found(media: QuerySet[Media], text: str, fields: Iterable[str], user: Any) -> QuerySet[Media]:
    """Return the media of which each word occurs in their own `fields` or in the title of what uses them.

    Titles that the user may not view find nothing, or a search would tell them.
    """
    relations = list(searched(user))
    for word in text.replace("\0", " ").split()[:MAX_SEARCH_WORDS]:
        matches = Q(pk__in=search(Media.objects.order_by(), word, *fields).values("pk"))
        for relation, title in relations:
            users = search(relation.model._default_manager.order_by(), word, title)
            matches |= Q(pk__in=users.values(relation.field.name))
        media = media.filter(matches)
    return media


def searched(user: Any) -> Iterator[tuple[Relation, str]]:
    """Yield what uses media, as far as the user may view it, with the path to the title: its own or its owner's."""
    for relation in relations_to(Media):
        owner = owners.get(relation.model, "pk")
        of: Any = relation.model if owner == "pk" else relation.model._meta.get_field(owner).related_model
        title = title_of(of)
        if title and may_view(user, of) and may_view(user, relation.model):
            yield relation, title if owner == "pk" else f"{owner}__{title}"


def title_of(model: type[Model]) -> str:
    names = {field.name for field in model._meta.concrete_fields}
    return next((name for name in TITLES if name in names), "")


def may_view(user: Any, model: type[Model]) -> bool:
    options = model._meta
    return any(user.has_perm(f"{options.app_label}.{verb}_{options.model_name}") for verb in ("view", "change"))
