"""Who may do what: every role at every route.

`stranger` is not staff, but was granted every permission; `staff` hold none; `granted` are staff with the permission
behind the row's code alone; `narrowed` is a key of staff who hold everything, narrowed to every code but the row's;
`published` is an admin's key for what is published, as the one portfolio is.
"""

from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile

from folio.access.codes import CODES
from folio.access.models import Token
from tests.conftest import Client
from tests.delivery.webhooks.hooks import URL, make_delivery, make_webhook
from tests.factories import (
    make_employer,
    make_key,
    make_link,
    make_media,
    make_meta,
    make_portfolio,
    make_tag,
    make_user,
)

from .routes import Route, api_routes

PASSWORD = "correct horse battery staple"
ROLES = ["anonymous", "stranger", "staff", "granted", "narrowed", "published", "admin"]
TABLE = """
 method  path                               code  anonymous  stranger  staff  granted  narrowed  published  admin
 GET     /api/portfolios/                   4202  401        403       403    200      403       200        200
 POST    /api/portfolios/                   4201  401        403       403    201      403       403        201
 GET     /api/portfolios/<int:pk>/          4203  401        403       403    200      403       200        200
 PUT     /api/portfolios/<int:pk>/          4204  401        403       403    200      403       403        200
 PATCH   /api/portfolios/<int:pk>/          4204  401        403       403    200      403       403        200
 DELETE  /api/portfolios/<int:pk>/          4205  401        403       403    204      403       403        204
 GET     /api/portfolios/slug/<str:slug>/   4203  401        403       403    200      403       200        200
 POST    /api/portfolios/<int:pk>/preview/  4204  401        403       403    201      403       403        201
 DELETE  /api/portfolios/<int:pk>/preview/  4204  401        403       403    204      403       403        204
 GET     /api/employers/                    4212  401        403       403    200      403       403        200
 POST    /api/employers/                    4211  401        403       403    201      403       403        201
 GET     /api/employers/<int:pk>/           4213  401        403       403    200      403       403        200
 PUT     /api/employers/<int:pk>/           4214  401        403       403    200      403       403        200
 PATCH   /api/employers/<int:pk>/           4214  401        403       403    200      403       403        200
 DELETE  /api/employers/<int:pk>/           4215  401        403       403    204      403       403        204
 GET     /api/tags/                         4222  401        403       403    200      403       403        200
 POST    /api/tags/                         4221  401        403       403    201      403       403        201
 GET     /api/tags/<int:pk>/                4223  401        403       403    200      403       403        200
 PUT     /api/tags/<int:pk>/                4224  401        403       403    200      403       403        200
 PATCH   /api/tags/<int:pk>/                4224  401        403       403    200      403       403        200
 DELETE  /api/tags/<int:pk>/                4225  401        403       403    204      403       403        204
 GET     /api/links/                        4232  401        403       403    200      403       403        200
 POST    /api/links/                        4231  401        403       403    201      403       403        201
 GET     /api/links/<int:pk>/               4233  401        403       403    200      403       403        200
 PUT     /api/links/<int:pk>/               4234  401        403       403    200      403       403        200
 PATCH   /api/links/<int:pk>/               4234  401        403       403    200      403       403        200
 DELETE  /api/links/<int:pk>/               4235  401        403       403    204      403       403        204
 GET     /api/meta/                         4242  401        403       403    200      403       403        200
 POST    /api/meta/                         4241  401        403       403    201      403       403        201
 GET     /api/meta/<int:pk>/                4243  401        403       403    200      403       403        200
 PUT     /api/meta/<int:pk>/                4244  401        403       403    200      403       403        200
 PATCH   /api/meta/<int:pk>/                4244  401        403       403    200      403       403        200
 DELETE  /api/meta/<int:pk>/                4245  401        403       403    204      403       403        204
 GET     /api/media/                        4102  401        403       403    200      403       403        200
 POST    /api/media/                        4101  401        403       403    201      403       403        201
 GET     /api/media/<int:pk>/               4103  401        403       403    200      403       403        200
 PUT     /api/media/<int:pk>/               4104  401        403       403    200      403       403        200
 PATCH   /api/media/<int:pk>/               4104  401        403       403    200      403       403        200
 DELETE  /api/media/<int:pk>/               4105  401        403       403    204      403       403        204
 GET     /api/media/<int:pk>/usage/         4103  401        403       403    200      403       403        200
 PUT     /api/media/<int:pk>/file/          4104  401        403       403    200      403       403        200
 GET     /api/webhooks/                     -     401        403       403    403      403       403        200
 POST    /api/webhooks/                     -     401        403       403    403      403       403        201
 GET     /api/webhooks/<int:pk>/            -     401        403       403    403      403       403        200
 PUT     /api/webhooks/<int:pk>/            -     401        403       403    403      403       403        200
 PATCH   /api/webhooks/<int:pk>/            -     401        403       403    403      403       403        200
 DELETE  /api/webhooks/<int:pk>/            -     401        403       403    403      403       403        204
 POST    /api/webhooks/<int:pk>/secret/     -     401        403       403    403      403       403        200
 GET     /api/webhooks/<int:pk>/deliveries/ -     401        403       403    403      403       403        200
 POST    /api/webhooks/deliveries/<int:pk>/send/ - 401       403       403    403      403       403        200
 POST    /api/auth/token/                   -     201        201       201    201      201       201        201
 GET     /api/auth/me/                      -     401        200       200    200      200       200        200
 GET     /api/auth/permissions/             -     401        200       200    200      200       200        200
 GET     /api/auth/tokens/                  -     401        200       200    200      403       403        200
 POST    /api/auth/tokens/                  -     401        201       201    201      403       403        201
 DELETE  /api/auth/tokens/<int:pk>/         -     401        204       204    204      403       403        204
 GET     /api/schema/                       -     200        200       200    200      200       200        200
 GET     /api/docs/                         -     200        200       200    200      200       200        200
"""
ROWS = [line.split() for line in TABLE.strip().splitlines()[1:]]
CASES = [
    pytest.param(Route(method, path), code, role, int(status), id=f"{method} {path} {role}")
    for method, path, code, *statuses in ROWS
    for role, status in zip(ROLES, statuses, strict=True)
]


def test_every_route_has_its_row() -> None:
    assert sorted(Route(method, path) for method, path, *_ in ROWS) == sorted(api_routes())


def test_every_code_guards_a_route() -> None:
    assert {int(code) for _, _, code, *_ in ROWS if code != "-"} == set(CODES)


def rows_of_the_api() -> dict[str, list[dict[str, Any]]]:
    """Return what the API's resources and keys hold."""
    return {
        model.__name__: list(model._default_manager.order_by("pk").values())
        for label in ("access", "media", "portfolios", "delivery")
        for model in apps.get_app_config(label).get_models()
    }


class Requests:
    """One row of each resource, and a valid request for each route."""

    def __init__(self) -> None:
        self.portfolio = make_portfolio()
        self.rows: dict[str, Any] = {
            "portfolios": self.portfolio,
            "employers": make_employer(),
            "tags": make_tag(),
            "links": make_link(self.portfolio),
            "meta": make_meta(self.portfolio),
            "media": make_media(),
            "webhooks": make_webhook(),
        }
        self.delivery = make_delivery(self.rows["webhooks"])

    def path(self, route: Route, user: User) -> str:
        resource = route.path.split("/")[2]
        own_token = Token.objects.filter(user=user).values_list("pk", flat=True).first()
        pk = own_token if resource == "auth" else getattr(self.rows.get(resource), "pk", None)
        if route.path.startswith("/api/webhooks/deliveries/"):
            pk = self.delivery.pk
        return route.path.replace("<int:pk>", str(pk)).replace("<str:slug>", self.portfolio.slug)

    def body(self, route: Route, user: User) -> dict[str, Any]:
        """Return the arguments of the request that carry its body."""
        if route.method in {"GET", "DELETE"}:
            return {}
        if route.method == "PATCH" or route.path.endswith(("/secret/", "/send/")):
            return {"data": {}}
        if route.path.endswith("/preview/"):
            return {"data": {"expires_in": 60}}
        if route in {("POST", "/api/media/"), ("PUT", "/api/media/<int:pk>/file/")}:
            return {"data": {"file": SimpleUploadedFile("a.txt", b"some text\n")}, "format": "multipart"}
        bodies: dict[str, dict[str, Any]] = {
            "portfolios": {"title": "New", "slug": "new", "excerpt": "New."},
            "employers": {"name": "New"},
            "tags": {"name": "new"},
            "links": {"portfolio": self.portfolio.pk, "name": "new"},
            "meta": {"portfolio": self.portfolio.pk, "key": "new"},
            "media": {"name": "new", "alt": "new"},
            "webhooks": {"url": URL},
            "token": {"username": user.username, "password": PASSWORD},
            "tokens": {"name": "new"},
        }
        first, second = route.path.split("/")[2:4]
        return {"data": bodies[second if first == "auth" else first]}


def client_and_user(role: str, code: str) -> tuple[Client, User]:
    needed = [] if code == "-" else [int(code)]
    narrowed_to = [number for number in CODES if number not in needed]
    user = {
        "anonymous": lambda: make_user(password=PASSWORD, is_superuser=True),
        "stranger": lambda: make_user(password=PASSWORD, codes=CODES),
        "staff": lambda: make_user(password=PASSWORD, is_staff=True),
        "granted": lambda: make_user(password=PASSWORD, is_staff=True, codes=needed),
        "narrowed": lambda: make_user(password=PASSWORD, is_staff=True, codes=CODES),
        "published": lambda: make_user(password=PASSWORD, is_staff=True, is_superuser=True),
        "admin": lambda: make_user(password=PASSWORD, is_staff=True, is_superuser=True),
    }[role]()
    client = Client(raise_request_exception=False)
    key = make_key(user, codes=narrowed_to if role == "narrowed" else None, published_only=role == "published")
    if role != "anonymous":
        client.credentials(HTTP_AUTHORIZATION=f"Token {key}")
    return client, user


@pytest.mark.django_db
@pytest.mark.parametrize(("route", "code", "role", "status"), CASES)
def test_a_role_at_a_route(route: Route, code: str, role: str, status: int) -> None:
    requests = Requests()
    client, user = client_and_user(role, code)
    send: Callable[..., Any] = getattr(client, route.method.lower())
    before = rows_of_the_api()

    response = send(requests.path(route, user), **requests.body(route, user))

    assert response.status_code == status, response.content
    if status in {401, 403}:
        assert rows_of_the_api() == before
    if status == 401:
        assert response.headers["WWW-Authenticate"] == "Token"
    if status == 403:
        assert response.json().get("permission_code") == (None if code == "-" else int(code))


@pytest.mark.django_db
@pytest.mark.parametrize("path", sorted({path for method, path, *_ in ROWS if method == "GET"}))
def test_a_head_is_answered_as_its_get(path: str, admin: User) -> None:
    requests = Requests()
    client, stranger = Client(), make_user()
    address = requests.path(Route("GET", path), stranger)
    for key in (None, make_key(stranger), make_key(admin)):
        client.credentials(**({"HTTP_AUTHORIZATION": f"Token {key}"} if key else {}))

        got, head = client.get(address), client.head(address)

        assert head.status_code == got.status_code
        assert head.content == b""
        assert head.headers["Content-Type"] == got.headers["Content-Type"]
