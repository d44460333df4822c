"""The history in words, apart from any page of one resource."""

import json
import re
from collections.abc import Callable

import pytest
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.http import HttpRequest
from django.test import Client as Site
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from folio.access.models import Token
from folio.admin.history import latest
from folio.current import current
from folio.history.changes import log, log_each
from folio.history.comparing import MOST_STEPS, Room
from folio.history.differences import text_difference
from folio.history.entries import read
from folio.media.models import Media, Thumbnail
from folio.portfolios.models import Portfolio
from tests.factories import make_employer, make_link, make_media, make_portfolio, make_tag, make_user


def request_of(user: User) -> HttpRequest:
    request = RequestFactory().get("/")
    request.user = user
    return request


def test_latest_tells_who_did_what_to_what(admin: User) -> None:
    portfolio, tag = make_portfolio(title="Harbour"), make_tag(name="print")
    log(admin, tag, DELETION)
    tag.delete()
    log(admin, portfolio, CHANGE, {"title": ("Quay", "Harbour"), "order": (0, 1)})
    log(admin, make_link(portfolio, name="site"), ADDITION, token="website")

    link, changed, deleted = latest(10, request_of(admin))

    assert (link.user, link.label, link.name, link.words) == ("ada", "portfolio", "Harbour", "Changed Links")
    assert changed.words == "Changed Title and Order"
    assert changed.link == f"/admin/portfolios/portfolio/{portfolio.pk}/change/"
    assert (deleted.words, deleted.name, deleted.link) == ("Deleted", "print", None)


def test_latest_shows_only_what_the_user_may_see(admin: User) -> None:
    log(admin, make_employer(), ADDITION)
    log(admin, make_tag(name="seen"), ADDITION)
    request = request_of(make_user(is_staff=True, codes=[4222]))

    assert [entry.name for entry in latest(10, request)] == ["seen"]


def test_latest_costs_the_same_for_any_number(admin: User) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            latest(50, request_of(admin))
        return len(captured)

    def fill(count: int) -> None:
        for _ in range(count):
            for row in (make_portfolio(), make_tag(), make_employer()):
                log(admin, row, ADDITION)

    fill(1)
    queries()
    at_three = queries()
    fill(15)

    assert queries() == at_three
    assert len(latest(50, request_of(admin))) == 48


def test_a_row_leaves_out_what_its_owner_has_no_longer(site_for: Callable[[User], Site], admin: User) -> None:
    link = make_link(make_portfolio(), name="site")
    log(admin, link, ADDITION)
    entry = LogEntry.objects.get()
    entry.change_message = entry.change_message.replace('"values":{', '"values":{"gone":[1,2],')
    entry.save()

    page = site_for(admin).get(f"/admin/portfolios/link/{link.pk}/history/")

    assert [difference.label for told in page.context["entries"] for difference in told.differences] == ["Links"]


def test_tells_what_a_media_was_when_the_change_was_made(site_for: Callable[[User], Site], admin: User) -> None:
    media = make_media(name="quay.png", placeholder="data:image/webp;base64,T0xE")
    portfolio = make_portfolio()
    log(admin, portfolio, CHANGE, {"images": ([], [media.pk])})
    log(admin, media, CHANGE, {"name": ("quay.png", "harbour.png")})
    log(admin, portfolio, CHANGE, {"image": (None, media.pk)})
    placeholders = ("data:image/webp;base64,T0xE", "data:image/webp;base64,TkVX")
    log(admin, media, CHANGE, {"file": ("a.png", "b.png"), "placeholder": placeholders})
    Media.objects.filter(pk=media.pk).update(name="harbour.png", placeholder=placeholders[1])
    Thumbnail.objects.create(media=media, size=64, file="core_media/b_thumbnail_64x64.png")
    log(admin, portfolio, CHANGE, {"image": (media.pk, None)})

    page = site_for(admin).get(f"/admin/portfolios/portfolio/{portfolio.pk}/history/").content.decode()
    last, cover, gallery = page.split('<li class="folio-history-entry">')[1:4]

    assert "harbour.png" in last
    assert "b_thumbnail_64x64.png" in last
    assert "harbour.png" in cover
    assert placeholders[0] in cover
    assert "quay.png" in gallery
    assert "harbour.png" not in gallery
    assert placeholders[0] in gallery


def test_tells_by_its_name_what_was_deleted(site_for: Callable[[User], Site], admin: User) -> None:
    media = make_media(name="quay.png")
    portfolio = make_portfolio()
    log(admin, portfolio, CHANGE, {"images": ([media.pk], [])})
    log(admin, media, DELETION)
    media.delete()

    page = site_for(admin).get(f"/admin/portfolios/portfolio/{portfolio.pk}/history/").content.decode()

    assert "quay.png (deleted)" in page


def test_a_change_of_nothing_is_not_recorded(admin: User) -> None:
    log(admin, make_tag(), CHANGE, {})

    assert not LogEntry.objects.exists()


def test_several_rows_are_recorded_in_one_query(admin: User) -> None:
    rows = [make_portfolio() for _ in range(30)]
    ContentType.objects.get_for_model(Portfolio)

    with CaptureQueriesContext(connection) as captured:
        log_each(admin, CHANGE, [(row, {"order": (0, place)}) for place, row in enumerate(rows)])

    assert len(captured) == 1
    assert LogEntry.objects.count() == 30


def test_secrets_are_recorded_by_name_only(admin: User) -> None:
    token = Token.objects.issue(admin, name="site")[0]

    log(admin, admin, CHANGE, {"password": ("pbkdf2$old", "pbkdf2$new")})
    log(admin, token, CHANGE, {"digest": ("a" * 64, "b" * 64)})

    messages = [json.loads(entry.change_message)[0]["changed"] for entry in LogEntry.objects.order_by("pk")]
    assert messages == [{"fields": ["Password"], "values": {}}, {"fields": ["Digest"], "values": {}}]


@pytest.mark.parametrize(
    "message",
    ["", "Changed by hand.", "[", "{}", "[1]", '[{"changed": 3}]', '[{"changed": {"values": [1]}}]', '[{"by": 1}]'],
)
def test_messages_of_others_are_read_without_values(message: str) -> None:
    record = read(LogEntry(change_message=message), Portfolio)

    assert (record.values, record.names, record.token) == ({}, [], "")


@pytest.mark.parametrize(
    ("old", "new", "gone", "come"),
    [
        ("The red house", "The blue house", ["red"], ["blue"]),
        ("The red house", "The house", ["red "], []),
        ("Nothing alike", "Quite else", ["Nothing alike"], ["Quite else"]),
        ("<b>x</b>", "<i>x</i>", ["b", "b"], ["i", "i"]),
        ("One.\n\nTwo." * 50, "One.\n\nTwo." * 50 + "\nThree.", [], ["Three."]),
    ],
)
def test_texts_differ_by_words_or_lines(old: str, new: str, gone: list[str], come: list[str]) -> None:
    html = text_difference(old, new, Room())

    assert re.findall(r"<del.*?</bdi>(.*?)</del>", html) == gone
    assert re.findall(r"<ins.*?</bdi>(.*?)</ins>", html) == come
    assert not {"<b>", "<i>"} & set(re.findall(r"<.*?>", html))


def test_equal_lines_far_from_others_are_left_out() -> None:
    lines = [f"Line {number} of a long text." for number in range(40)]

    html = text_difference("\n".join(lines), "\n".join([*lines, "The end."]), Room())

    assert "39 lines as before" in html
    assert "Line 39" in html
    assert "Line 38" not in html


def test_texts_too_long_to_compare_are_shown_folded() -> None:
    html = text_difference("x" * 40_000, "y" * 40_000, Room())

    assert html.count("<details") == 2


def test_a_page_of_long_texts_that_differ_everywhere_stays_small(
    site_for: Callable[[User], Site], admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    rooms: list[Room] = []
    begin = Room.__init__

    def init(room: Room) -> None:
        begin(room)
        rooms.append(room)

    monkeypatch.setattr(Room, "__init__", init)
    portfolio = make_portfolio()
    links = [
        {"link": n, "name": f"Link {n}", "url": None, "description": "x" * 300, "image": None} for n in range(1000)
    ]
    for number in range(20):
        old, new = (" ".join(f"{word}{n}" for n in range(5000)) for word in (f"a{number}", "b"))
        changes = {"description": (old, new), "excerpt": (old.replace(" ", "\n"), new.replace(" ", "\n"))}
        log(admin, portfolio, CHANGE, {**changes, "links": (links, [{**link, "name": "Other"} for link in links])})

    page = site_for(admin).get(f"/admin/portfolios/portfolio/{portfolio.pk}/history/")

    assert page.content.decode().count('<li class="folio-history-entry">') == 20
    assert len(page.content) < 3_000_000
    assert [room.steps > -MOST_STEPS and room.parts >= 0 and room.characters >= 0 for room in rooms] == [True]


def test_a_change_names_its_request(
    site_for: Callable[[User], Site], admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    tag = make_tag(name="print")
    monkeypatch.setattr(current, "id", "abc-1")
    log(admin, tag, CHANGE, {"name": ("prints", "print")}, token="website")
    monkeypatch.setattr(current, "id", "")
    log(admin, tag, CHANGE, {"slug": ("prints", "print")})  # by a command, which answers no request

    own, by_request = LogEntry.objects.filter(object_id=str(tag.pk)).order_by("-pk")

    assert (read(by_request, type(tag)).request, read(by_request, type(tag)).token) == ("abc-1", "website")
    assert read(own, type(tag)).request == ""
    page = site_for(admin).get(f"/admin/portfolios/tag/{tag.pk}/history/").content.decode()
    assert page.count("folio-history-request") == page.count('<code dir="ltr">abc-1</code>') == 1
