"""Serializers whose fields are built once for each class, and copied for each request.

REST framework builds them anew for every serializer: it reads the model's fields, copies what was declared deeply, and
makes validators, which is more work than the validation itself. Nothing of that depends on the request. What does is a
field's parent, and what REST framework notes when it binds the field to it: a shallow copy is all that a request needs.
"""

from collections.abc import Sequence
from typing import Any

from rest_framework.serializers import BaseSerializer
from rest_framework.utils.formatting import lazy_format

Fields = dict[str, Any]
INNER = {"child", "child_relation"}  # where a list keeps the field of its items
built_fields: dict[type, Fields] = {}
built_validators: dict[type, Sequence[Any]] = {}


class BuiltOnce:
    """A serializer that builds its fields and validators at its class's first use.

    A subclass whose fields depend on the request says so in a `get_fields` of its own, and changes the copies.
    """

    def get_fields(self) -> Fields:
        cls = type(self)
        if cls not in built_fields:  # two threads may both build them, which does no harm
            fields: Fields = super().get_fields()  # type: ignore[misc]
            for field in fields.values():
                make_ready(field)
            built_fields[cls] = fields
        return {name: copy_of(field) for name, field in built_fields[cls].items()}

    def get_validators(self) -> list[Any]:
        cls = type(self)
        if cls not in built_validators:
            built_validators[cls] = tuple(super().get_validators())  # type: ignore[misc]
        return list(built_validators[cls])


def make_ready(field: Any) -> None:
    """Do at once what REST framework puts off until a field is used: threads would do it to each other's copies."""
    for name in INNER & vars(field).keys():
        make_ready(getattr(field, name))
    if isinstance(field, BaseSerializer):  # of a class that is built by itself
        return
    for validator in field.validators:
        # A message of this kind forgets its parts when it is first read, and another thread would not find them.
        if isinstance(getattr(validator, "message", None), lazy_format):
            validator.message = str(validator.message)


def copy_of(field: Any) -> Any:
    """Return a field that shares all with another one but its parent, its name and its list of validators."""
    copy: Any = object.__new__(type(field))
    state = vars(copy)
    state.update(vars(field))
    if "_validators" in state:
        state["_validators"] = list(state["_validators"])
    for name in INNER & state.keys():  # of a list; bound to it already
        state[name] = copy_of(state[name])
        state[name].parent = copy
    return copy
