"""The API's description: committed, valid, complete, and true of the answers."""

import errno
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # its types are a package of their own
import pytest
import yaml
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import IntegrityError, OperationalError
from django.test import Client as BrowserClient
from django.urls import reverse
from openapi_spec_validator import OpenAPIV31SpecValidator

from folio.access.codes import CODES
from folio.access.models import KeptAnswer, Token
from folio.api.views import openapi_schema
from folio.api.viewsets import ListingView
from folio.media.views import MediaViewSet
from folio.portfolios.views import EmployerViewSet, LinkViewSet, MetaEntryViewSet, PortfolioViewSet, TagViewSet
from tests.conftest import Client
from tests.factories import make_employer, make_link, make_media, make_meta, make_portfolio, make_tag

CONTRACT = Path(__file__).resolve().parent.parent / "contract"
VIEWSETS: list[type[ListingView]] = [
    PortfolioViewSet,
    EmployerViewSet,
    TagViewSet,
    LinkViewSet,
    MetaEntryViewSet,
    MediaViewSet,
]
ACTIONS = {
    "list": ("get", "/api/portfolios/"),
    "create": ("post", "/api/portfolios/"),
    "retrieve": ("get", "/api/portfolios/{id}/"),
    "retrieve_by_slug": ("get", "/api/portfolios/slug/{slug}/"),
    "update": ("put", "/api/portfolios/{id}/"),
    "partial_update": ("patch", "/api/portfolios/{id}/"),
    "destroy": ("delete", "/api/portfolios/{id}/"),
}

LIMITS = {"RateLimit", "RateLimit-Policy"}
HEADERS = {
    406: {"HTTP_ACCEPT": "text/html"},
    412: {"HTTP_IF_MATCH": '"another"'},
    429: {"HTTP_IDEMPOTENCY_KEY": "a-key"},
}


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    """The description as a client gets it."""
    described: dict[str, Any] = json.loads(json.dumps(openapi_schema()))
    return described


def answers_of(action: str) -> list[int]:
    method, path = ACTIONS[action]
    return [int(status) for status in openapi_schema()["paths"][path][method]["responses"]]


def validate(answer: Any, schema: dict[str, Any], part: dict[str, Any]) -> None:
    """Validate an answer against a part of the description, whose references point into the whole."""
    jsonschema.Draft202012Validator(
        {**part, "components": schema["components"]}, format_checker=jsonschema.FormatChecker()
    ).validate(answer)


def test_is_the_committed_one(schema: dict[str, Any]) -> None:
    """`make schema` renews the file; its difference shows reviewers what changes for clients."""
    assert yaml.safe_load((CONTRACT / "openapi.yaml").read_text()) == schema


def test_is_valid_openapi_3_1(schema: dict[str, Any]) -> None:
    assert schema["openapi"].startswith("3.1")
    assert list(OpenAPIV31SpecValidator(schema).iter_errors()) == []


def test_is_generated_without_a_warning(tmp_path: Path) -> None:
    call_command(
        "spectacular", "--validate", "--fail-on-warn", "--format", "openapi-json", "--file", str(tmp_path / "schema")
    )

    assert json.loads((tmp_path / "schema").read_text())["info"]["title"] == "Folio"


@pytest.mark.django_db
def test_is_served_to_everyone(schema: dict[str, Any]) -> None:
    response = Client().get("/api/schema/")

    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json"
    assert response.json() == {**schema, "servers": [{"url": "http://testserver"}]}


@pytest.mark.django_db
def test_is_shown_by_swagger_from_this_servers_files() -> None:
    page = BrowserClient().get("/api/docs/")
    script = BrowserClient().get("/api/docs/", {"script": ""})

    text = page.content.decode()
    assert page.status_code == script.status_code == 200
    assert f'src="{reverse("docs")}?script="' in text
    assert reverse("schema") in script.content.decode()
    assert "cdn." not in text
    assert 'src="http' not in text
    assert 'href="http' not in text


def parts(schema: Any) -> Iterator[dict[str, Any]]:
    """Yield every object within the description."""
    if isinstance(schema, dict):
        yield schema
    for part in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from parts(part)


def answers(schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the components that the API answers with, by name."""
    return {name: part for name, part in schema["components"]["schemas"].items() if not name.endswith("Request")}


def test_every_field_and_parameter_is_explained(schema: dict[str, Any]) -> None:
    told = {
        f"{name}.{field}": part
        for name, component in schema["components"]["schemas"].items()
        for field, part in component.get("properties", {}).items()
    }
    told |= {
        f"{operation['operationId']}.{parameter['name']}": parameter
        for path in schema["paths"].values()
        for operation in path.values()
        for parameter in operation.get("parameters", [])
    }

    assert [name for name, part in told.items() if not part.get("description")] == []
    assert len(told) > 300


def test_moments_and_addresses_of_answers_have_their_formats(schema: dict[str, Any]) -> None:
    def formats(part: dict[str, Any]) -> set[str | None]:
        return {kind.get("format") for kind in part.get("anyOf", [part]) if kind.get("type") != "null"}

    for name, component in answers(schema).items():
        for field, part in component.get("properties", {}).items():
            if field.endswith("_at"):
                assert formats(part) == {"date-time"}, f"{name}.{field}"
            elif field in {"f", "next", "previous"}:
                assert formats(part) == {"uri"}, f"{name}.{field}"


def test_errors_have_a_shape_that_clients_keep(schema: dict[str, Any]) -> None:
    described = schema["components"]["schemas"]["FieldErrors"]
    used = {"resource": "portfolios", "id": 3, "field": "image"}

    for answer in (
        {"detail": "JSON parse error."},
        {"title": ["This field is required."]},
        {"links": [{}, {"name": ["This field is required."]}]},
        {"detail": "This media is used as a picture.", "used_by": [used]},
    ):
        validate(answer, schema, described)
    for wrong in ({"title": [7]}, {"title": {"name": ["No."]}}, {"links": [{"name": "No."}]}):
        with pytest.raises(jsonschema.ValidationError):
            validate(wrong, schema, described)


@pytest.mark.parametrize("body", ["MetaEntryRequest", "MetaItemRequest"])
def test_a_file_may_be_sent_as_it_was_read(schema: dict[str, Any], body: str) -> None:
    described = schema["components"]["schemas"][body]["properties"]["value_file"]
    read = {"id": 3, "type": "document", "name": "a", "size": 1, "human_readable_size": "1 bytes", "f": "http://a/b"}

    for sent in (3, None, {"id": 3}, read):
        validate(sent, schema, described)
    assert {"$ref": "#/components/schemas/File"} in described["anyOf"]
    for wrong in (0, "a file", {"name": "a"}):
        with pytest.raises(jsonschema.ValidationError):
            validate(wrong, schema, described)


def test_every_choice_has_a_type(schema: dict[str, Any]) -> None:
    choices = [part for part in parts(schema) if isinstance(part.get("enum"), list)]

    assert choices
    assert [part for part in choices if "type" not in part] == []


def test_describes_bodies_and_answers_for_those_who_send_and_read_them(schema: dict[str, Any]) -> None:
    described = {name: part.get("description", "") for name, part in schema["components"]["schemas"].items()}

    assert [name for name, text in described.items() if not text] == []
    for name, text in described.items():
        assert not re.search(r"serializer|queryset|query for|context\[|Struct|docstring", text), name
        assert "\n  " not in text, f"{name}: Markdown takes an indented line for code"
    of_bodies = [text for name, text in described.items() if name.endswith("Request") and "Patched" not in name]
    assert len(set(of_bodies)) == len(of_bodies), "one is another's, such as its parent class's"


def test_says_in_plain_words_what_each_operation_does(schema: dict[str, Any]) -> None:
    summaries = [operation["summary"] for path in schema["paths"].values() for operation in path.values()]

    assert len(set(summaries)) == len(summaries)
    for summary in summaries:
        verb = summary.split()[0].rstrip(":")
        verbs = {
            "List",
            "Create",
            "Read",
            "Update",
            "Delete",
            "Make",
            "Revoke",
            "Upload",
            "Put",
            "Sign",
            "Tell",
            "End",
            "Give",
            "Send",
        }
        assert verb in verbs
        assert "_" not in summary
    assert {"Create an employer", "Read a portfolio by its slug", "Revoke a key", "Upload a file"} <= set(summaries)


@pytest.mark.parametrize("view", VIEWSETS)
def test_every_filter_is_a_parameter_of_its_list(schema: dict[str, Any], view: type[ListingView]) -> None:
    operation = schema["paths"][f"/api/{view.resource}/"]["get"]
    parameters = {parameter["name"]: parameter for parameter in operation["parameters"] if parameter["in"] == "query"}

    assert sorted(parameters) == sorted(view.filterset_class.base_filters)
    assert all("required" not in parameter for parameter in parameters.values())
    assert all(parameter["description"] for parameter in parameters.values())


def test_every_operation_tells_its_permission_code(schema: dict[str, Any]) -> None:
    text = json.dumps(schema["paths"])

    assert [code for code in CODES if f"Permission code: {code}." not in text] == []


def test_every_operation_has_a_name_of_its_own(schema: dict[str, Any]) -> None:
    names = [operation["operationId"] for path in schema["paths"].values() for operation in path.values()]

    assert len(names) == len(set(names))
    assert {"portfolios_list", "portfolios_create", "media_create", "tokens_destroy"} <= set(names)


def test_a_key_is_asked_for_but_where_none_is_needed(schema: dict[str, Any]) -> None:
    without = {
        path
        for path, operations in schema["paths"].items()
        for operation in operations.values()
        if not any("Token" in scheme for scheme in operation.get("security", []))
    }

    assert without == {"/api/auth/token/", "/api/schema/"}


def test_an_upload_is_multipart_and_everything_else_json(schema: dict[str, Any]) -> None:
    bodies = {
        operation["operationId"]: list(operation["requestBody"]["content"])
        for path in schema["paths"].values()
        for operation in path.values()
        if "requestBody" in operation
    }

    for upload in ("media_create", "media_replace_file"):
        assert bodies.pop(upload) == ["multipart/form-data"]
    assert {media_type for types in bodies.values() for media_type in types} == {"application/json"}


@pytest.mark.parametrize(
    ("path", "method", "names"),
    [
        ("/api/media/", "post", ["deduplicate"]),
        ("/api/media/{id}/", "delete", ["detach", "now"]),
        ("/api/media/{id}/file/", "put", ["now"]),
    ],
)
def test_actions_name_their_parameters(schema: dict[str, Any], path: str, method: str, names: list[str]) -> None:
    parameters = schema["paths"][path][method]["parameters"]

    found = [parameter for parameter in parameters if parameter["in"] == "query"]

    assert [parameter["name"] for parameter in found] == names
    assert all(parameter["schema"] == {"type": "boolean"} and parameter["description"] for parameter in found)


def test_an_upload_may_answer_with_what_exists(schema: dict[str, Any]) -> None:
    responses = schema["paths"]["/api/media/"]["post"]["responses"]

    assert responses["200"]["content"] == responses["201"]["content"]
    assert responses["201"]["headers"].keys() - responses["200"]["headers"].keys() == {"Location"}


def test_every_operation_names_the_headers_that_it_takes(schema: dict[str, Any]) -> None:
    taken = {
        operation["operationId"]: {p["name"] for p in operation.get("parameters", []) if p["in"] == "header"}
        for path in schema["paths"].values()
        for operation in path.values()
    }

    for name, headers in taken.items():
        resource, _, action = name.partition("_")
        conditions = {"If-Match", "If-Unmodified-Since"} if resource in {"portfolios", "media"} else {"If-Match"}
        expected: set[str] = set()
        if action in {"update", "partial_update", "destroy", "replace_file"} and resource != "tokens":
            expected = conditions
        elif action == "create":
            expected = {"Idempotency-Key"} if resource not in {"tokens", "auth", "webhooks"} else set()
        elif (
            action not in {"destroy", "share_preview", "end_previews", "renew_secret", "send", "send_again"}
            and name != "auth_token_create"
        ):
            expected = {"If-None-Match"}
        assert headers == expected, name


def test_every_operation_names_the_headers_that_it_tells(schema: dict[str, Any]) -> None:
    def told(method: str, path: str, status: str) -> set[str]:
        return set(schema["paths"][path][method]["responses"][status].get("headers", {})) - LIMITS

    for path in ("/api/portfolios/{id}/", "/api/portfolios/slug/{slug}/", "/api/media/{id}/"):
        assert told("get", path, "200") == told("get", path, "304") == {"ETag", "Last-Modified"}
    assert told("get", "/api/tags/{id}/", "200") == told("get", "/api/portfolios/", "200") == {"ETag"}
    assert told("patch", "/api/tags/{id}/", "200") == told("delete", "/api/tags/{id}/", "412") == {"ETag"}
    assert told("delete", "/api/tags/{id}/", "204") == told("post", "/api/auth/tokens/", "201") == set()
    assert told("put", "/api/media/{id}/file/", "412") == {"ETag", "Last-Modified"}
    assert told("post", "/api/tags/", "201") == {"ETag", "Location", "Idempotency-Replayed"}


def test_every_operation_tells_of_the_limit_that_counts_it(schema: dict[str, Any]) -> None:
    """Of 429 too; signing in has a count of its own failures alone."""
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            answers = {status: set(told.get("headers", {})) for status, told in operation["responses"].items()}
            limits = set() if path == "/api/auth/token/" else LIMITS
            assert answers["429"] == limits | {"Retry-After"}, (method, path)
            for status in answers:
                if status < "400":
                    assert answers[status] & LIMITS == limits, (method, path, status)


@pytest.mark.parametrize(
    ("method", "status", "page"), [("post", "201", "create_portfolio.json"), ("get", "200", "list_portfolios.json")]
)
def test_the_examples_are_the_reference_pages(schema: dict[str, Any], method: str, status: str, page: str) -> None:
    content = schema["paths"]["/api/portfolios/"][method]["responses"][status]["content"]["application/json"]
    expected = json.loads((CONTRACT / "pages" / page).read_text())

    [example] = content["examples"].values()

    assert json.dumps(example["value"]) == json.dumps(expected)
    validate(expected, schema, content["schema"])


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("action", "status"), [(action, status) for action in ACTIONS for status in answers_of(action) if status != 304]
)
def test_an_answer_is_as_described(
    schema: dict[str, Any],
    client_for: Callable[..., Client],
    editor: User,
    staff: User,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    action: str,
    status: int,
) -> None:
    image = make_media()
    portfolio = make_portfolio(
        image=image,
        employer=make_employer(image=image),
        images=[image, make_media()],
        tags=[make_tag(image=image), make_tag()],
        completed_at="2024-12-12T00:00:00Z",
    )
    make_link(portfolio, image=image)
    make_meta(portfolio, value_file=make_media(type="document"))
    make_portfolio()
    method, template = ACTIONS[action]
    pk = 999_999 if status == 404 else portfolio.pk
    slug = "no-such" if status == 404 else portfolio.slug
    path = template.format(id=pk, slug=slug)
    body: Any = {"title": "New", "slug": "new", "excerpt": "x", "image": image.pk, "links": [{"name": "site"}]}
    client = Client() if status == 401 else client_for(staff if status == 403 else editor)
    client.raise_request_exception = False
    extra: dict[str, Any] = HEADERS.get(status, {})
    if status == 400:
        path += "?no_such=parameter"
    elif status == 411:
        extra, body = {"HTTP_TRANSFER_ENCODING": "chunked"}, None
    elif status == 429 and action != "create":
        extra = {}
        settings.RATE = settings.WRITE_RATE = (1, 3600)
        client.get("/api/tags/") if method == "get" else client.post("/api/tags/", {"name": "one"})
    elif status == 429:
        monkeypatch.setattr("folio.access.models.ANSWERS_SIZE", -1)
        KeptAnswer.objects.create(token=Token.objects.get(), key="k", status=201, headers={}, body=b"", size=0)
    elif status == 413:
        settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10
    elif status == 415:
        extra, body = {"content_type": "text/plain"}, b"text"
    elif status in {409, 500, 503, 507}:
        errors = {
            409: IntegrityError("unique"),
            500: RuntimeError("broken"),
            503: OperationalError("locked"),
            507: OSError(errno.ENOSPC, "full"),
        }
        error = errors[status]

        def fail(*arguments: Any, **named: Any) -> None:
            raise error

        step = f"perform_{action.removeprefix('partial_')}"
        monkeypatch.setattr(PortfolioViewSet, step if status == 409 else action, fail)

    response = getattr(client, method)(path, *([] if method in {"get", "delete"} else [body]), **extra)

    assert response.status_code == status
    described = schema["paths"][template][method]["responses"][str(status)]
    known = {"ETag", "Last-Modified", "Location", "Idempotency-Replayed"}
    assert known & set(response.headers) <= set(described.get("headers", {}))
    if status == 204:
        assert "content" not in described
        assert response.content == b""
    else:
        validate(response.json(), schema, described["content"]["application/json"]["schema"])


def test_a_wrong_answer_would_be_noticed(schema: dict[str, Any]) -> None:
    operation = schema["paths"]["/api/portfolios/{id}/"]["get"]
    part = operation["responses"]["200"]["content"]["application/json"]["schema"]
    answer = json.loads((CONTRACT / "pages" / "create_portfolio.json").read_text())

    for wrong in ({**answer, "id": "1"}, {**answer, "tags_data": None}, {**answer, "image_data": 88}):
        with pytest.raises(jsonschema.ValidationError):
            validate(wrong, schema, part)
    with pytest.raises(jsonschema.ValidationError):
        validate({key: value for key, value in answer.items() if key != "meta"}, schema, part)
