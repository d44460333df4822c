"""One shape for every error: `{"field": ["message"]}`, `{"non_field_errors": […]}` or `{"detail": …}`."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.conftest import Client
from tests.factories import make_employer, make_key, make_media, make_portfolio, make_tag

from .routes import Route, api_routes

pytestmark = pytest.mark.django_db

ROUTES = [route for route in api_routes() if route.path != "/api/docs/"]
OPEN = {"/api/auth/token/", "/api/schema/"}
GUARDED = [route for route in ROUTES if route.path not in OPEN and not route.path.startswith("/api/auth/")]
MEMBERS: dict[int, dict[str, type]] = {403: {"permission_code": int}, 409: {"used_by": list}}


def assert_error(response: Any, status: int) -> None:
    """Assert that the answer is an error of that status in the one shape."""
    assert response.status_code == status, response.content
    assert response.headers["Content-Type"] == "application/json"
    body = response.json()
    assert isinstance(body, dict)
    if "detail" in body:
        assert_text(body.pop("detail"))
        known = MEMBERS.get(status, {})
        assert set(body) <= set(known)
        assert all(isinstance(value, known[name]) for name, value in body.items())
    else:
        assert status == 400
        assert_messages(body)


def assert_messages(errors: dict[str, Any]) -> None:
    """Assert that each name has messages, or for the items of a nested list an object in each item's place."""
    assert errors
    for name, messages in errors.items():
        assert isinstance(messages, list), name
        assert messages, name
        if isinstance(messages[0], dict):
            assert any(messages), name
            for item in messages:
                if item:
                    assert_messages(item)
        else:
            for message in messages:
                assert_text(message)


def assert_text(message: Any) -> None:
    assert isinstance(message, str)
    assert message.strip() == message != ""
    assert "ErrorDetail" not in message
    assert "Traceback" not in message


def address(route: Route, pk: int = 999_999) -> str:
    return route.path.replace("<int:pk>", str(pk)).replace("<str:slug>", "no-such")


def send(user: User | None, method: str, path: str, *arguments: Any, **named: Any) -> Any:
    client = Client(raise_request_exception=False)
    if user:
        client.credentials(HTTP_AUTHORIZATION=f"Token {make_key(user)}")
    return getattr(client, method.lower())(path, *arguments, **named)


@pytest.mark.parametrize("route", [route for route in ROUTES if route.path not in OPEN], ids=" ".join)
def test_without_a_key(route: Route) -> None:
    assert_error(send(None, route.method, address(route)), 401)


@pytest.mark.parametrize("route", GUARDED, ids=" ".join)
def test_without_the_permission(route: Route, staff: User) -> None:
    assert_error(send(staff, route.method, address(route)), 403)


@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
def test_with_an_unknown_parameter(route: Route, admin: User) -> None:
    assert_error(send(admin, route.method, f"{address(route)}?no_such=parameter"), 400)


@pytest.mark.parametrize("route", [route for route in ROUTES if "<" in route.path], ids=" ".join)
def test_with_an_unknown_id(route: Route, admin: User) -> None:
    assert_error(send(admin, route.method, address(route)), 404)


@pytest.mark.parametrize("path", sorted({route.path for route in ROUTES}))
def test_with_a_method_that_the_path_does_not_have(path: str, admin: User) -> None:
    known = {route.method for route in ROUTES if route.path == path}
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} - known:
        assert_error(send(admin, method, path.replace("<int:pk>", "1").replace("<str:slug>", "x")), 405)


@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
def test_with_an_accept_that_leaves_no_room_for_json(route: Route, admin: User) -> None:
    assert_error(send(admin, route.method, address(route), HTTP_ACCEPT="text/html"), 406)


@pytest.mark.parametrize(
    "route", [route for route in ROUTES if route.method == "POST" and "<" not in route.path], ids=" ".join
)
def test_with_a_body_that_is_wrong(route: Route, admin: User) -> None:
    is_upload = route.path == "/api/media/"
    good_type = "multipart/form-data; boundary=x" if is_upload else "application/json"

    for body in (b"{", b"[]", b'"x"', b"{}", b'{"no_such_key": 1}', b"\xff"):
        assert_error(send(admin, "post", route.path, body, content_type=good_type), 400)
    assert_error(send(admin, "post", route.path, b"x", content_type="text/csv"), 415)
    assert_error(send(admin, "post", route.path, HTTP_TRANSFER_ENCODING="chunked"), 411)


@pytest.mark.parametrize("route", [route for route in ROUTES if route.path == "/api/portfolios/"], ids=" ".join)
def test_with_a_parameter_of_the_wrong_type(route: Route, admin: User) -> None:
    assert_error(send(admin, "get", f"{route.path}?limit=x&has_image=7&created_date=y&ordering=z&tags_in=a,b"), 400)


@pytest.mark.parametrize(
    "fields",
    [
        {"title": "", "slug": "a b", "excerpt": None},
        {"order": 2**40, "is_active": "perhaps", "completed_at": "soon"},
        {"image": "x", "images": [1, 1], "tags": [999_999], "employer": True},
        {"links": {}, "meta": "x"},
        {"links": [{}, {"name": "site", "url": "ftp://x"}, 7], "meta": [{"key": "a"}, {"key": "a"}]},
        {"links": [{"name": "site", "no_such": 1}], "meta": [{"key": "a", "value_file": {"id": 999_999}}]},
        {"no_such_key": 1, "imag": 2},
    ],
)
def test_with_fields_that_are_wrong(fields: dict[str, Any], admin: User) -> None:
    body = {"title": "New", "slug": "new", "excerpt": "x", **fields}

    assert_error(send(admin, "post", "/api/portfolios/", body), 400)
    assert_error(send(admin, "patch", f"/api/portfolios/{make_portfolio().pk}/", fields), 400)


def test_with_a_duplicate(admin: User) -> None:
    portfolio, employer, tag = make_portfolio(), make_employer(), make_tag()
    body = {"title": portfolio.title, "slug": portfolio.slug, "excerpt": "x"}

    duplicates = send(admin, "post", "/api/portfolios/", body)

    assert_error(duplicates, 400)
    assert list(duplicates.json()) == ["title", "slug"]
    assert_error(send(admin, "post", "/api/employers/", {"name": employer.name}), 400)
    assert_error(send(admin, "post", "/api/tags/", {"name": tag.name}), 400)


def test_in_use(admin: User) -> None:
    image, employer = make_media(), make_employer()
    make_portfolio(image=image, employer=employer)

    assert_error(send(admin, "delete", f"/api/media/{image.pk}/"), 409)
    assert_error(send(admin, "delete", f"/api/employers/{employer.pk}/"), 409)


def test_too_large(admin: User, settings: Any) -> None:
    settings.MAX_UPLOAD_SIZE = settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10
    upload = {"file": SimpleUploadedFile("a.txt", b"more than ten bytes")}

    assert_error(send(admin, "post", "/api/tags/", {"name": "more than ten bytes"}), 413)
    assert_error(send(admin, "post", "/api/media/", upload, format="multipart"), 413)


def test_a_bad_host_and_an_unknown_path(admin: User) -> None:
    assert_error(send(admin, "get", "/api/tags/", HTTP_HOST="evil.example"), 400)
    assert_error(send(admin, "get", "/api/no/such/path/"), 404)
