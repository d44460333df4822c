"""What `include` and `fields` ask for."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from folio.api.filters import NamesFilter

from .parts import KEYS, OPTIONAL, PARTS, ROW

HIGHLIGHT = "highlight"


class Choice(NamedTuple):
    """What an answer tells of a portfolio."""

    parts: tuple[str, ...]  # that it is made of
    keys: tuple[str, ...] | None  # that are kept of these, in the shape's order; None keeps them all

    @property
    def has_highlight(self) -> bool:
        return self.keys is None or HIGHLIGHT in self.keys


def choice_of(values: Mapping[str, Any], unasked: Collection[str]) -> Choice:
    """Return what the parameters ask for; `unasked` are the optional parts that come without `include`.

    `fields` names all that is told, so beside it `include` has nothing to add.
    """
    fields = values.get("fields")
    if fields is not None:
        keys = tuple(key for key in (*KEYS, HIGHLIGHT) if key in fields)
        return Choice(tuple(name for name, part in PARTS.items() if not {*part.keys}.isdisjoint(keys)), keys)
    include = values.get("include")
    wanted = unasked if include is None else include
    return Choice((ROW, *(name for name in OPTIONAL if name in wanted)), None)


def include_filter(label: str) -> NamesFilter:
    return NamesFilter(names=OPTIONAL, label=label)


def fields_filter(label: str, more: Iterable[str] = ()) -> NamesFilter:
    return NamesFilter(names=(*KEYS, *more), label=label)
