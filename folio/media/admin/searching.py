"""Finding media in the library and the pickers: by their own texts, and by the entries that show them."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest

from folio.admin.options import may_see
from folio.api.texts import MAX_SEARCH_WORDS, search
from folio.api.usage import Relation, owners, relations_to
from folio.history.names import name_field

from ..models import Media


def found(media: QuerySet[Media], text: str, fields: Iterable[str], request: HttpRequest) -> QuerySet[Media]:
    """Return the media of which each word occurs in their own `fields` or in the title of what uses them.

    Titles that the user may not view find nothing, or a search would tell them.
    """
    relations = list(searched(request))
    for word in text.replace("\0", " ").split()[:MAX_SEARCH_WORDS]:
        matches = Q(pk__in=search(Media.objects.order_by(), word, *fields).values("pk"))
        for relation, title in relations:
            users = search(relation.model._default_manager.order_by(), word, title)
            matches |= Q(pk__in=users.values(relation.field.name))
        media = media.filter(matches)
    return media


def searched(request: HttpRequest) -> Iterator[tuple[Relation, str]]:
    """Yield what uses media, as far as the user may view it, with the path to the title: its own or its owner's."""
    for relation in relations_to(Media):
        owner = owners.get(relation.model, "pk")
        of: Any = relation.model if owner == "pk" else relation.model._meta.get_field(owner).related_model
        title = name_field(of)
        if title and may_see(request, of) and may_see(request, relation.model):
            yield relation, title if owner == "pk" else f"{owner}__{title}"
