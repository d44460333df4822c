"""Requests made up from the description of what visitors read: none is a 5xx, and each answer is as described."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from schemathesis import GenerationMode

from tests.live import Server, photograph, running_server

from .made import create
from .made_up import CONFORMANCE, ask, cases_of, operations_of

OPERATIONS = operations_of("openapi-public.yaml")
CUTTING = {"include", "fields"}  # parameters that leave out keys, which no description can say of an answer
WITHOUT_SHAPE = [check for check in CONFORMANCE if check.__name__ != "response_schema_conformance"]
SLUGS = {"portfolios": "full", "tags": "print", "employers": "museum"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with an entry that has everything, one that has little, and a draft."""
    variables = {"FOLIO_PUBLIC_READ": "true", "FOLIO_SITE_URL": "https://studio.example/work/{slug}/"}
    with running_server(tmp_path_factory.mktemp("public"), **variables) as server:
        with server.session(server.key) as api:
            image = api.post("/api/media/", files={"file": ("china.jpg", photograph("china.jpg"))}).json()["id"]
            full = {
                "image": image,
                "images": [image],
                "employer": create(api, "/api/employers/", name="Museum", image=image)["id"],
                "tags": [create(api, "/api/tags/", name="Print")["id"]],
                "completed_at": "2024-05-06",
                "description": "# Much",
                "links": [{"name": "Site", "url": "https://example.com"}],
                "meta": [{"key": "area", "value_text": "120 m2", "value_file": image}],
            }
            for slug, fields in (("full", full), ("plain", {}), ("draft", {**full, "is_active": False})):
                create(api, "/api/portfolios/", title=slug, slug=slug, excerpt="Of harbours.", **fields)
        yield server
        assert "Traceback" not in server.log.read_text()


@pytest.fixture(scope="module")
def described(server: Server) -> Any:
    with server.session() as visitor:
        schema = schemathesis.openapi.from_dict(visitor.get("/api/public/schema/").json())
    schema.config.update(base_url=server.url)
    return schema


@pytest.mark.parametrize(("label", "mode"), cases_of(OPERATIONS))
def test_no_request_is_a_5xx_and_each_answer_is_as_described(
    described: Any, server: Server, label: str, mode: GenerationMode
) -> None:
    method, path = label.split()

    with server.session() as visitor:

        def request(case: Any) -> None:
            slug = case.path_parameters.get("slug")
            if isinstance(slug, str) and len(slug) % 2:
                case.path_parameters["slug"] = SLUGS[path.split("/")[3]]
            response = case.call(session=visitor)

            case.validate_response(response, checks=WITHOUT_SHAPE if CUTTING & set(case.query) else CONFORMANCE)
            assert response.headers["access-control-allow-origin"] == ["*"]

        ask(described[path][method], mode, request)


def test_every_operation_is_reached_with_success(described: Any, server: Server) -> None:
    reached = {}
    with server.session() as visitor:
        for label in OPERATIONS:
            method, path = label.split()
            slug = {"slug": SLUGS[path.split("/")[3]]} if "{slug}" in path else {}
            response = visitor.request(method, path.format(**slug))
            described[path][method].Case(path_parameters=slug).validate_response(response, checks=CONFORMANCE)
            reached[label] = response.status_code

    assert reached == dict.fromkeys(OPERATIONS, 200)
