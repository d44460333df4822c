"""Serializers are built once for each class, and no request sees what another one did to its copy."""

from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import pytest
from django.core.validators import RegexValidator
from rest_framework import serializers
from rest_framework.utils.formatting import lazy_format

from folio.access.serializers import CredentialsSerializer, TokenSerializer
from folio.api.built import BuiltOnce, built_fields, built_validators
from folio.api.serializers import StrictModelSerializer
from folio.media.serializers import MediaSerializer, ReplacementSerializer, UploadSerializer
from folio.portfolios.models import Tag
from folio.portfolios.serializers import (
    EmployerSerializer,
    LinkSerializer,
    MetaEntrySerializer,
    PortfolioSerializer,
    TagSerializer,
)

ALL = [
    CredentialsSerializer,
    EmployerSerializer,
    LinkSerializer,
    MediaSerializer,
    MetaEntrySerializer,
    PortfolioSerializer,
    ReplacementSerializer,
    TagSerializer,
    TokenSerializer,
    UploadSerializer,
]


@pytest.fixture(autouse=True)
def nothing_built(monkeypatch: pytest.MonkeyPatch) -> None:
    for built in (built_fields, built_validators):
        for cls in list(built):
            monkeypatch.delitem(built, cls)


def fields_within(serializer: Any) -> Iterator[Any]:
    for field in serializer.fields.values():
        yield field
        if isinstance(field, serializers.ListSerializer):
            yield from fields_within(field.child)


def shape(serializer: Any) -> list[Any]:
    """Return what its fields are, and what they check."""
    known = ("field_name", "source_attrs", "label", "required", "allow_null", "read_only", "write_only", "help_text")
    found = [
        (type(field), *(getattr(field, name) for name in known), [describe(check) for check in field.validators])
        for field in fields_within(serializer)
    ]
    return [*found, [describe(check) for check in serializer.validators]]


def describe(check: Any) -> Any:
    return type(check), getattr(check, "limit_value", None), str(getattr(check, "message", ""))


@pytest.mark.parametrize("cls", ALL)
def test_has_the_fields_that_rest_framework_builds(cls: Any) -> None:
    after = cls.__mro__[cls.__mro__.index(BuiltOnce) + 1]
    plain = type(cls.__name__, (cls,), {name: getattr(after, name) for name in ("get_fields", "get_validators")})

    assert shape(cls()) == shape(plain())
    assert shape(cls()) == shape(plain())  # the second time it is of copies


def test_builds_its_fields_at_the_first_use_only() -> None:
    with patch.object(StrictModelSerializer, "build_field", autospec=True) as build:
        build.side_effect = serializers.ModelSerializer.build_field
        for _ in range(3):
            assert "title" in PortfolioSerializer().fields

    built = [call.args[1] for call in build.call_args_list]
    assert sorted(set(built)) == sorted(built)


def test_two_serializers_share_no_field_and_no_list_of_validators() -> None:
    one, two = PortfolioSerializer(), PortfolioSerializer()

    for mine, other in zip(fields_within(one), fields_within(two), strict=True):
        assert mine is not other
        assert mine.root is one
        assert other.root is two
        assert mine.validators is not other.validators


def test_what_a_request_changes_of_its_fields_no_other_sees() -> None:
    one = TagSerializer()
    one.fields["name"].validators.append(RegexValidator("never"))
    one.fields["name"].required = False
    one.validators.append(RegexValidator("never"))
    del one.fields["image"]

    two = TagSerializer()

    assert RegexValidator("never") not in two.fields["name"].validators
    assert two.fields["name"].required
    assert two.validators == []
    assert list(two.fields) == ["name", "image", "slug"]


def test_a_subclass_has_fields_of_its_own() -> None:
    class Shouted(TagSerializer):
        loud = serializers.BooleanField(required=False)

        class Meta(TagSerializer.Meta):
            fields = ["name", "loud"]

        def get_fields(self) -> Any:
            fields = super().get_fields()
            fields["name"].label = "NAME"
            return fields

    assert list(Shouted().fields) == ["name", "loud"]
    assert Shouted().fields["name"].label == "NAME"
    assert list(TagSerializer().fields) == ["name", "image", "slug"]
    assert TagSerializer().fields["name"].label != "NAME"


def test_a_validator_of_the_model_s_field_or_of_a_declared_one_is_taken_up() -> None:
    class Careful(StrictModelSerializer):
        note = serializers.CharField(validators=[RegexValidator("^n", message="It begins with n.")], required=False)

        class Meta:
            model = Tag
            fields = ["name", "note"]

    with patch.object(Tag._meta.get_field("name"), "_validators", [RegexValidator("^t", message="It begins with t.")]):
        del Tag._meta.get_field("name").validators
        try:
            names, notes = (Careful().fields[name].validators for name in ("name", "note"))
        finally:
            del Tag._meta.get_field("name").validators

    assert "It begins with t." in [getattr(validator, "message", "") for validator in names]
    assert "It begins with n." in [getattr(validator, "message", "") for validator in notes]


@pytest.mark.parametrize("cls", ALL)
def test_no_message_is_left_that_threads_would_finish_for_each_other(cls: Any) -> None:
    messages = [getattr(validator, "message", None) for field in fields_within(cls()) for validator in field.validators]

    assert not [message for message in messages if isinstance(message, lazy_format)]
