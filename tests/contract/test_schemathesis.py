"""Requests made up from the API's own description: none is a 5xx, and each answer is as described."""

import json
from typing import Any
from uuid import uuid4

import pytest
import schemathesis
from schemathesis import GenerationMode

from tests.live import Server, Session

from .made_up import CONFORMANCE, ask, cases_of, operations_of

OPERATIONS = operations_of("openapi.yaml")
UPLOADS = {
    label
    for label, operation in OPERATIONS.items()
    if "multipart/form-data" in operation.get("requestBody", {}).get("content", {})
}
CASES = cases_of(OPERATIONS)
PASSWORD = "correct horse battery staple"
REFERENCES = {"employer": "employers", "portfolio": "portfolios", "value_file": "media"}
NOBODY = "http://127.0.0.1:9/"  # where nothing listens
DELIVERIES = """
import json
from uuid import uuid4
from folio.delivery.models import WebhookDelivery
made = [
    WebhookDelivery.objects.create(webhook_id=pk, message_id=f"msg_{{uuid4().hex}}", body="{{}}", state="delivered")
    for pk in {webhooks}
]
print(json.dumps([delivery.pk for delivery in made]))
"""
OUT_OF_THE_WAY = 10**9  # added to the ids that are to be deleted: the rows of other requests stay


def name() -> str:
    return uuid4().hex


@pytest.fixture(scope="module")
def rows(server: Server, api: Session) -> dict[str, list[Any]]:
    """A few rows of each resource, by their ids."""

    def make(path: str, **request: Any) -> dict[str, Any]:
        response = api.post(path, **request)
        assert response.status_code == 201, response.text
        made: dict[str, Any] = response.json()
        return made

    portfolios = [
        make("/api/portfolios/", json={"title": name(), "slug": f"slug-{number}-{name()}", "excerpt": "x"})
        for number in range(3)
    ]
    ids = [portfolio["id"] for portfolio in portfolios]
    webhooks = [make("/api/webhooks/", json={"url": NOBODY})["id"] for _ in range(3)]
    deliveries = json.loads(server.folio("shell", "--no-imports", "-c", DELIVERIES.format(webhooks=webhooks)))
    return {
        "portfolios": ids,
        "slugs": [portfolio["slug"] for portfolio in portfolios],
        "employers": [make("/api/employers/", json={"name": name()})["id"] for _ in range(3)],
        "tags": [make("/api/tags/", json={"name": name()})["id"] for _ in range(3)],
        "links": [make("/api/links/", json={"portfolio": pk, "name": name()})["id"] for pk in ids],
        "meta": [make("/api/meta/", json={"portfolio": pk, "key": name()})["id"] for pk in ids],
        "media": [make("/api/media/", files={"file": (f"{name()}.txt", b"some text\n")})["id"] for _ in range(3)],
        "tokens": [make("/api/auth/tokens/", json={"name": name()})["id"] for _ in range(3)],
        "webhooks": webhooks,
        "deliveries": deliveries,
    }


@pytest.fixture(scope="module")
def described(api: Session) -> Any:
    """The description that the server gives, without its word on keys: each request has a good one."""
    description = api.get("/api/schema/").json()
    for operations in description["paths"].values():
        for operation in operations.values():
            operation.pop("security", None)
    schema = schemathesis.openapi.from_dict(description)
    schema.config.update(base_url=api.url)
    return schema


def name_existing(case: Any, rows: dict[str, list[Any]]) -> None:
    """Put what exists in the place of half of the made-up ids and slugs."""

    def existing(resource: str, number: int) -> int:
        pk: int = rows[resource][number % 3] if number % 2 else number
        return pk

    pk, slug = case.path_parameters.get("id"), case.path_parameters.get("slug")
    if isinstance(pk, int):
        is_deleted = case.method.upper() == "DELETE"
        case.path_parameters["id"] = abs(pk) + OUT_OF_THE_WAY if is_deleted else existing(resource_of(case.path), pk)
    if isinstance(slug, str) and len(slug) % 2:
        case.path_parameters["slug"] = rows["slugs"][len(slug) % 3]
    if isinstance(case.body, dict):
        for field, resource in REFERENCES.items():
            value = case.body.get(field)
            if isinstance(value, int):
                case.body[field] = existing(resource, value)
        if isinstance(case.body.get("slug"), str) and len(case.body["slug"]) % 2:
            case.body["slug"] = name()


def resource_of(path: str) -> str:
    if path.startswith("/api/webhooks/deliveries/"):
        return "deliveries"
    return path.removeprefix("/api/auth").removeprefix("/api").split("/")[1]


@pytest.mark.parametrize(("label", "mode"), CASES)
def test_no_request_is_a_5xx_and_each_answer_is_as_described(
    described: Any, api: Session, rows: dict[str, list[Any]], label: str, mode: GenerationMode
) -> None:
    method, path = label.split()
    operation = described[path][method]

    def request(case: Any) -> None:
        name_existing(case, rows)
        response = case.call(session=api, headers={"Authorization": api.headers["Authorization"]})

        case.validate_response(response, checks=CONFORMANCE)
        assert response.status_code != 401

    ask(operation, mode, request)


def test_every_operation_is_reached_with_success(
    described: Any, server: Server, api: Session, rows: dict[str, list[Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    linus = {"DJANGO_SUPERUSER_USERNAME": "linus", "DJANGO_SUPERUSER_PASSWORD": PASSWORD}
    server.folio("createsuperuser", "--no-input", "--email", "linus@example.com", **linus)
    media, portfolio = rows["media"][0], rows["portfolios"][0]
    image = api.get("/api/media/?type=image&limit=1").json()["results"]
    bodies: dict[str, dict[str, Any]] = {
        "portfolios": {
            "title": name(),
            "slug": name(),
            "excerpt": "x",
            "employer": rows["employers"][0],
            "tags": rows["tags"],
            "images": [row["id"] for row in image],
            "links": [{"name": "site", "url": "https://example.com"}],
            "meta": [{"key": "client", "value_file": media}],
        },
        "employers": {"name": name()},
        "tags": {"name": name()},
        "links": {"portfolio": portfolio, "name": "site"},
        "meta": {"portfolio": portfolio, "key": name()},
        "media": {"name": "new name", "alt": "new"},
        "token": {"username": "linus", "password": PASSWORD},
        "tokens": {"name": "website", "codes": [4202]},
        "webhooks": {"url": NOBODY},
        "preview": {},
    }
    # Each row is deleted after it was read and changed.
    order = {"POST": 0, "GET": 1, "PUT": 2, "PATCH": 3, "DELETE": 4}
    reached: dict[str, int] = {}
    made: dict[str, Any] = {"deliveries": {"id": rows["deliveries"][0]}}
    for label in sorted(OPERATIONS, key=lambda label: order[label.split()[0]]):
        method, path = label.split()
        resource = resource_of(path)
        operation = described[path][method]
        arguments: dict[str, Any] = {}
        if "{id}" in path:
            arguments["path_parameters"] = {"id": made[resource]["id"]}
        if "{slug}" in path:
            arguments["path_parameters"] = {"slug": made["portfolios"]["slug"]}
        if "requestBody" in OPERATIONS[label]:
            arguments["body"] = bodies["preview" if path.endswith("/preview/") else resource]
            arguments["media_type"] = "application/json"
        if label in UPLOADS:
            arguments |= {"body": {"file": b"some text\n"}, "media_type": "multipart/form-data"}

        case = operation.Case(**arguments)
        # From elsewhere than the made-up sign-ins, after which their address has to wait.
        headers = {"Authorization": api.headers["Authorization"], "X-Forwarded-For": "203.0.113.5"}
        response = case.call(session=api, headers=headers)

        case.validate_response(response, checks=CONFORMANCE)
        reached[label] = response.status_code
        answer = response.json() if response.content else {}
        if method == "POST" and "id" in answer:
            made[resource] = answer
    with capsys.disabled():
        print(*(f"\n{status} {label}" for label, status in reached.items()), sep="")  # noqa: T201 - what was reached

    assert {label for label, status in reached.items() if 200 <= status < 300} == set(OPERATIONS)
