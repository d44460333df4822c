"""`/api/public/schema/`: the description from which clients are generated."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # its types are a package of their own
import pytest
import yaml
from django.test import Client
from django.test.utils import override_script_prefix
from django.urls import get_resolver
from openapi_spec_validator import OpenAPIV31SpecValidator

from folio.api.views import openapi_schema
from folio.delivery.documents import Entry, ListedEntry
from folio.delivery.filters import PortfolioFilterSet
from folio.delivery.schema import PublicGenerator
from tests.contract.routes import patterns
from tests.delivery.entries import OPTIONAL, PATH, make_full
from tests.factories import make_portfolio

COMMITTED = Path(__file__).resolve().parent.parent / "contract" / "openapi-public.yaml"


@pytest.fixture
def schema() -> dict[str, Any]:
    described: dict[str, Any] = json.loads(json.dumps(openapi_schema(PublicGenerator)))
    return described


def operations(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for methods in schema["paths"].values():
        yield from methods.values()


def test_is_the_committed_one(schema: dict[str, Any]) -> None:
    """`make schema` renews the file; its difference shows reviewers what changes for clients."""
    assert yaml.safe_load(COMMITTED.read_text()) == schema


def test_is_valid_openapi_3_1(schema: dict[str, Any]) -> None:
    assert schema["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(schema).validate()


def test_tells_of_every_public_address_and_of_no_other(schema: dict[str, Any]) -> None:
    paths = {path.replace("<str:slug>", "{slug}") for path, _ in patterns(get_resolver().url_patterns, "/")}
    addresses = {path for path in paths if path.startswith("/api/public/")}

    assert set(schema["paths"]) == addresses
    assert {method for methods in schema["paths"].values() for method in methods} == {"get"}
    assert not [path for path in openapi_schema()["paths"] if path.startswith("/api/public/")]
    assert not {"Token", "ForbiddenError", "PortfolioRow"} & json.loads(json.dumps(schema["components"])).keys()
    assert "securitySchemes" not in schema["components"]


def test_operations_are_called_as_clients_would_call_them(schema: dict[str, Any]) -> None:
    names = {each["operationId"]: each["tags"] for each in operations(schema)}

    assert names["listPortfolios"] == names["getPortfolio"] == ["portfolios"]
    assert {"listTags", "getTag", "listEmployers", "getEmployer", "getFacets", "getSchema"} < names.keys()


def test_everything_is_explained(schema: dict[str, Any]) -> None:
    parameters = [(each["operationId"], one) for each in operations(schema) for one in each["parameters"]]
    fields = [
        (name, field, told)
        for name, component in schema["components"]["schemas"].items()
        for field, told in component.get("properties", {}).items()
    ]

    assert not [(operation, one["name"]) for operation, one in parameters if not one.get("description")]
    assert not [(name, field) for name, field, told in fields if not told.get("description")]
    assert not [name for name, each in schema["components"]["schemas"].items() if not each.get("description")]


def test_types_are_told_as_exactly_as_json_allows(schema: dict[str, Any]) -> None:
    entry = schema["components"]["schemas"]["Entry"]["properties"]
    image = schema["components"]["schemas"]["Image"]["properties"]

    assert {"type": "string", "format": "uri"} in entry["url"]["anyOf"]
    assert entry["updated_at"]["format"] == "date-time"
    assert image["src"]["format"] == image["original"]["format"] == "uri"
    assert schema["components"]["schemas"]["File"]["properties"]["type"]["enum"].count("image") == 1
    assert schema["components"]["schemas"]["Thumbnail"]["properties"]["size"]["enum"] == [64, 128, 512, 1080]


def test_what_always_comes_is_required_and_what_is_asked_for_is_not(schema: dict[str, Any]) -> None:
    shapes = schema["components"]["schemas"]

    assert shapes["Entry"]["required"] == list(Entry.__struct_fields__)
    assert shapes["ListedEntry"]["required"] == list(ListedEntry.__struct_fields__[:11])
    assert "original" not in shapes["Image"]["required"]


def test_every_parameter_of_the_list_is_told(schema: dict[str, Any]) -> None:
    told = {each["name"]: each for each in schema["paths"][PATH]["get"]["parameters"] if each["in"] == "query"}

    assert set(told) == set(PortfolioFilterSet.base_filters)
    assert told["tag"]["schema"]["type"] == "array"


def test_answers_are_as_described(visitor: Client, schema: dict[str, Any]) -> None:
    portfolio = make_full(2)
    make_portfolio()
    answers = {
        (PATH, 200): visitor.get(PATH, {"include": ",".join(OPTIONAL), "search": "title"}),
        (f"{PATH}{{slug}}/", 200): visitor.get(f"{PATH}{portfolio.slug}/"),
        (f"{PATH}{{slug}}/", 404): visitor.get(f"{PATH}none/"),
        (PATH, 400): visitor.get(PATH, {"none": 1}),
    }

    for (path, status), response in answers.items():
        assert response.status_code == status
        part = schema["paths"][path]["get"]["responses"][str(status)]["content"]["application/json"]["schema"]
        jsonschema.Draft202012Validator(
            {**part, "components": schema["components"]}, format_checker=jsonschema.FormatChecker()
        ).validate(response.json())


def test_the_server_is_the_one_that_was_asked(visitor: Client, settings: Any) -> None:
    assert visitor.get("/api/public/schema/").json()["servers"] == [{"url": "http://testserver"}]
    settings.PUBLIC_URL, settings.ALLOWED_HOSTS = "https://api.example.com/studio", ["api.example.com", "testserver"]
    with override_script_prefix("/studio/"):
        assert visitor.get("/api/public/schema/").json()["servers"] == [{"url": "https://api.example.com/studio"}]
