"""Finding media in the library and the pickers: by their own texts, and by the entries that show them."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest

from folio.admin.options import may_see
from folio.api.folding import fold
from folio.api.texts import MAX_SEARCH_WORDS, search
from folio.api.usage import Relation, owners, relations_to
from folio.history.names import name_field

from ..models import Media


def found(media: QuerySet[Media], text: str, fields: Iterable[str], request: HttpRequest) -> QuerySet[Media]:
    """Return the media of which each word occurs in their own `fields` or in the title of what uses them.

    Titles that the user may not view find nothing, or a search would tell them.
    """
    relations = list(searched(request))
    words = fold(text).split()[:MAX_SEARCH_WORDS]
    if text.strip() and not words:  # nothing but hyphens
        return media.none()
    for word in words:
        matches = Q(pk__in=search(Media.objects.order_by(), word, *fields).values("pk"))
        named: dict[Any, QuerySet[Any]] = {}  # one look at the titles of each model, whatever of theirs uses media
        for relation, model, owner, title in relations:
            if model not in named:
                named[model] = search(model._default_manager.order_by(), word, title).values("pk")
            users = relation.model._default_manager.order_by().filter(**{f"{owner}__in": named[model]})
            matches |= Q(pk__in=users.values(relation.field.name))
        media = media.filter(matches)
    return media


def searched(request: HttpRequest) -> Iterator[tuple[Relation, Any, str, str]]:
    """Yield what uses media, as far as the user may view it, with the model that has the title, and the path to it."""
    for relation in relations_to(Media):
        owner = owners.get(relation.model, "pk")
        of: Any = relation.model if owner == "pk" else relation.model._meta.get_field(owner).related_model
        title = name_field(of)
        if title and may_see(request, of) and may_see(request, relation.model):
            yield relation, of, owner, title
