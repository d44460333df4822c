"""Texts are stored and looked up in one form of Unicode, and what names something shows something, in one line."""

from importlib import import_module
from io import StringIO
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test import Client as Site

from folio.access.models import Token
from folio.media.models import Media
from folio.portfolios.models import Employer, MetaEntry, Portfolio, Tag
from tests.conftest import Client
from tests.factories import draw, make_employer, make_link, make_media, make_meta, make_portfolio, make_tag

pytestmark = pytest.mark.django_db

PATH = "/api/portfolios/"
APART, TOGETHER = "Cafe\u0301", "Café"  # a letter and its accent as two characters, and as one
NOTHING = [
    "\u200b",
    "\u200c\u200d",
    "\ufeff",
    "\u2060\u00ad",
    "\u3164",
    "\u2800",
    "\u115f\u1160",
    "\ufe0f",
    "\u180e \u200b",
]
LINES = ["a\nb", "a\tb", "a\x00b", "a\x1bb", "a\x85b", "a\u2028b", "a\u2029b", "a\x7fb"]
OPEN = ["a\u202eb", "\u202aa", "a\u2066b", "a\u2069b", "a\u202cb", "\u2067\u202ea\u202c", "\u202ea\u2069"]
GOOD = [
    "می\u200cخواهم",
    "👩\u200d🚀",
    "\u200fabc\u200e",
    "a \u2068b \u2067c\u2069\u2069",
    "\u202babc\u202c",
    "\u2066\u202ea\u2069",  # an isolate closes what was opened within it
    "❤\ufe0f",
    "क्\u200dष",
]


def body(**fields: Any) -> dict[str, Any]:
    return {"title": "Title", "slug": "slug", "excerpt": "Excerpt.", **fields}


def decompose(row: Any, **fields: str) -> None:
    """Store texts as older versions did: in whatever form they came."""
    type(row)._default_manager.filter(pk=row.pk).update(**fields)


def test_every_text_is_stored_in_normal_form(client: Client) -> None:
    given = body(
        title=APART,
        slug=APART,
        excerpt=APART,
        description=APART,
        links=[{"name": APART, "description": APART}],
        meta=[{"key": APART, "value_text": APART}],
    )

    made = client.post(PATH, given)
    read = client.get(f"{PATH}{made.json()['id']}/").json()
    media = client.post("/api/media/", {"file": file("a.png"), "name": APART, "alt": APART}, format="multipart").json()

    assert made.json() == read
    assert {read[name] for name in ("title", "slug", "excerpt", "description")} == {TOGETHER}
    assert read["links_data"][0]["name"] == read["links_data"][0]["description"] == TOGETHER
    assert read["meta"][0]["key"] == read["meta"][0]["value_text"] == TOGETHER
    assert media["name"] == media["alt"] == TOGETHER
    assert client.post("/api/employers/", {"name": APART, "description": APART}).json()["name"] == TOGETHER
    assert client.post("/api/auth/tokens/", {"name": APART}).json()["name"] == TOGETHER


def test_an_address_keeps_the_form_in_which_its_server_knows_it(client: Client) -> None:
    made = client.post(PATH, body(links=[{"name": "a", "url": f"https://example.com/{APART}"}]))

    assert made.json()["links_data"][0]["url"] == f"https://example.com/{APART}"


def test_whatever_makes_a_row_makes_it_in_normal_form() -> None:
    assert make_tag(name=APART).name == TOGETHER
    assert Tag.objects.get().name == TOGETHER
    Employer.objects.bulk_create([Employer(name=APART)])
    assert Employer.objects.get().name == TOGETHER


def test_every_look_up_takes_either_form(client: Client, site: Site) -> None:
    portfolio = make_portfolio(title=TOGETHER, slug=TOGETHER)
    make_portfolio()
    make_meta(portfolio, key=TOGETHER)

    for form in (APART, TOGETHER):
        assert client.get(f"{PATH}slug/{quote(form)}/").json()["id"] == portfolio.pk
        assert client.get(PATH, {"slug": form}).json()["count"] == 1
        assert client.get(PATH, {"search": form.lower()}).json()["count"] == 1
        assert client.get("/api/meta/", {"key": form}).json()["count"] == 1
        assert site.get("/admin/portfolios/portfolio/", {"q": form}).context["cl"].result_count == 1


@pytest.mark.parametrize("path", ["/api/tags/", "/api/employers/"])
def test_a_name_is_taken_in_either_form(client: Client, path: str) -> None:
    assert client.post(path, {"name": TOGETHER}).status_code == 201
    assert list(client.post(path, {"name": APART}).json()) == ["name"]


def test_the_admin_sites_forms_store_the_normal_form(site: Site) -> None:
    site.post("/admin/portfolios/tag/add/", {"name": APART})
    again = site.post("/admin/portfolios/tag/add/", {"name": APART})

    assert [tag.name for tag in Tag.objects.all()] == [TOGETHER]
    assert again.status_code == 200
    assert "already exists" in again.content.decode()


@pytest.mark.parametrize("text", [*NOTHING, *LINES, *OPEN])
def test_what_names_nothing_is_refused(client: Client, text: str) -> None:
    portfolio = make_portfolio()
    for path, field, given in (
        (PATH, "title", body(title=text)),
        (PATH, "slug", body(slug=text)),
        ("/api/tags/", "name", {"name": text}),
        ("/api/employers/", "name", {"name": text}),
        ("/api/links/", "name", {"name": text, "portfolio": portfolio.pk}),
        ("/api/meta/", "key", {"key": text, "portfolio": portfolio.pk}),
        ("/api/auth/tokens/", "name", {"name": text}),
    ):
        response = client.post(path, given)
        assert response.status_code == 400, (path, response.content)
        assert list(response.json()) == [field]
    nested = client.post(PATH, body(links=[{"name": text}], meta=[{"key": text}]))
    assert list(nested.json()) == ["links", "meta"]
    assert Portfolio.objects.count() == 1


@pytest.mark.parametrize("text", [NOTHING[0], LINES[0], OPEN[0]])
def test_a_name_of_a_media_is_refused_and_a_files_name_cleaned(client: Client, text: str) -> None:
    media = make_media(name="before")

    changed = client.patch(f"/api/media/{media.pk}/", {"name": text})
    named = client.post("/api/media/", {"file": file("a.png"), "name": text}, format="multipart")
    filed = client.post("/api/media/", {"file": file(f"{text}.png")}, format="multipart")

    assert list(changed.json()) == list(named.json()) == ["name"]
    assert filed.status_code == 201
    assert filed.json()["name"] in {".png", "file", "ab.png", "b.png"}


def test_an_excerpt_shows_something_and_may_have_lines(client: Client) -> None:
    assert list(client.post(PATH, body(excerpt="\u200b")).json()) == ["excerpt"]
    assert client.post(PATH, body(excerpt="a\nb")).status_code == 201


@pytest.mark.parametrize("text", GOOD)
def test_what_is_closed_or_joins_letters_is_kept(client: Client, text: str) -> None:
    assert client.post("/api/tags/", {"name": text}).json()["name"] == text


@pytest.mark.parametrize(
    ("text", "told"), [("\u200b", "invisible"), ("a\u2028b", "one line"), ("a\u202eb", "writing direction")]
)
def test_the_admin_sites_forms_refuse_the_same(site: Site, text: str, told: str) -> None:
    page = site.post("/admin/portfolios/tag/add/", {"name": text})

    assert page.status_code == 200
    assert told in page.content.decode()
    assert not Tag.objects.exists()


def test_a_users_name_is_found_in_either_form(admin: User) -> None:
    User.objects.create_user(TOGETHER, password="correct horse battery")
    output = StringIO()

    signed_in = Client().post("/api/auth/token/", {"username": APART, "password": "correct horse battery"})
    call_command("createtoken", APART, "--name", APART, stdout=output, stderr=StringIO())

    assert signed_in.status_code == 201
    assert User.objects.filter(username=TOGETHER).count() == User.objects.count() - 1 == 1
    assert Token.objects.get(name=TOGETHER).user.username == TOGETHER
    with pytest.raises(CommandError, match="--name: "):
        call_command("createtoken", TOGETHER, "--name", "\u200b")


def file(name: str) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, draw())


@pytest.fixture
def older(client: Client) -> Any:
    """What an older version stored, and its models."""
    portfolio = make_portfolio(title="a", slug="a")
    twin, second, third = make_portfolio(title=TOGETHER), make_portfolio(title="c"), make_portfolio(title="d")
    decompose(portfolio, title=APART, slug=APART, excerpt=APART, description=APART)
    decompose(second, title="e\u0301", slug="e\u0301")
    decompose(third, title="\u212b")  # of two that become one, the first does
    decompose(make_portfolio(title="z"), title="A\u030a")
    link, entry = make_link(portfolio), make_meta(portfolio, key="k")
    decompose(link, name=APART, description=APART, url=f"https://example.com/{APART}")
    decompose(entry, key=APART, value_text=APART)
    make_meta(twin, key=TOGETHER)
    decompose(make_tag(name="t"), name=APART)
    decompose(make_employer(name="e"), name=APART, description=APART)
    decompose(make_media(name="m"), name=APART, alt=APART)
    decompose(Token.objects.get(), name=APART)
    return portfolio, twin, second


def migrate() -> None:
    executor = MigrationExecutor(connection)
    for path in ("portfolios.0005", "media.0004", "access.0007"):
        app, number = path.split(".")
        name = next(name for label, name in executor.loader.graph.nodes if label == app and name.startswith(number))
        migration: Any = import_module(f"folio.{app}.migrations.{name}")
        state = executor.loader.project_state(executor.loader.graph.leaf_nodes())
        migration.normalize_texts(state.apps, SimpleNamespace(connection=connection))


def test_the_migration_brings_what_is_there(older: Any) -> None:
    portfolio, _, second = older
    before = Portfolio.objects.get(pk=portfolio.pk).updated_at

    migrate()

    portfolio = Portfolio.objects.get(pk=portfolio.pk)
    assert portfolio.title == APART, "its normal form is another row's"
    assert {portfolio.slug, portfolio.excerpt, portfolio.description} == {TOGETHER}
    assert portfolio.updated_at == before
    assert Portfolio.objects.get(pk=second.pk).title == "é"
    assert set(Portfolio.objects.values_list("title", flat=True)) == {APART, TOGETHER, "é", "Å", "A\u030a"}
    link, entry = portfolio.links.get(), portfolio.meta.get()
    assert link.name == link.description == entry.key == entry.value_text == TOGETHER
    assert link.url == f"https://example.com/{APART}"
    for model, names in (
        (Tag, ["name"]),
        (Employer, ["name", "description"]),
        (Media, ["name", "alt"]),
        (Token, ["name"]),
    ):
        rows: Any = model._default_manager
        assert set(rows.values_list(*names)) == {(TOGETHER,) * len(names)}
    migrate()
    assert Portfolio.objects.get(pk=portfolio.pk).title == APART


def test_a_row_that_keeps_its_form_is_named_and_can_be_changed(older: Any, client: Client) -> None:
    portfolio, twin, _ = older
    migrate()
    output = StringIO()

    call_command("check", stderr=output)
    patched = client.patch(f"{PATH}{portfolio.pk}/", {"order": 7})

    assert patched.status_code == 200
    assert patched.json()["title"] == APART
    told = output.getvalue()
    assert f"The title {APART!r} of the portfolio {portfolio.pk} is the same as that of {twin.pk}," in told
    assert told.count("folio.W001") == 2
    for row in Portfolio.objects.exclude(title=TOGETHER).filter(slug__in=[TOGETHER]):
        assert client.patch(f"{PATH}{row.pk}/", {"title": "Renamed"}).status_code == 200
    Portfolio.objects.filter(pk=Portfolio.objects.order_by("-pk").first().pk).delete()  # type: ignore[union-attr]
    output = StringIO()
    call_command("check", stdout=output, stderr=output)
    assert "folio.W001" not in output.getvalue()


def test_a_batch_of_the_migration_asks_as_often_as_a_row(django_assert_max_num_queries: Any) -> None:
    MetaEntry.objects.bulk_create([MetaEntry(portfolio=make_portfolio(), key="a", value_text="b") for _ in range(5)])
    Tag.objects.bulk_create([Tag(name=f"{number}") for number in range(300)])
    for tag in Tag.objects.all():
        decompose(tag, name=f"e\u0301{tag.name}")

    with django_assert_max_num_queries(40):
        migrate()

    assert not Tag.objects.filter(name__contains="\u0301").exists()
