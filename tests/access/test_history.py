"""The history in words, apart from any page of one resource."""

import json

import pytest
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from folio.access import history
from folio.access.history.differences import text_difference
from folio.access.history.entries import read
from folio.access.models import Token
from folio.portfolios.models import Portfolio
from tests.factories import make_employer, make_link, make_portfolio, make_tag, make_user


def test_latest_tells_who_did_what_to_what(admin: User) -> None:
    portfolio, tag = make_portfolio(title="Harbour"), make_tag(name="print")
    history.log(admin, tag, DELETION)
    tag.delete()
    history.log(admin, portfolio, CHANGE, {"title": ("Quay", "Harbour"), "order": (0, 1)})
    history.log(admin, make_link(portfolio, name="site"), ADDITION, token="website")

    link, changed, deleted = history.latest(10)

    assert (link.user, link.label, link.name, link.words) == ("ada", "portfolio", "Harbour", "Changed links")
    assert changed.words.lower() == "changed title and order"
    assert changed.link == f"/admin/portfolios/portfolio/{portfolio.pk}/change/"
    assert (deleted.words, deleted.name, deleted.link) == ("Deleted", "print", None)


def test_latest_shows_only_what_the_user_may_see(admin: User) -> None:
    history.log(admin, make_employer(), ADDITION)
    history.log(admin, make_tag(name="seen"), ADDITION)
    request = RequestFactory().get("/")
    request.user = make_user(is_staff=True, codes=[4222])

    assert [entry.name for entry in history.latest(10, request)] == ["seen"]


def test_latest_costs_the_same_for_any_number(admin: User) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            history.latest(50)
        return len(captured)

    def fill(count: int) -> None:
        for _ in range(count):
            for row in (make_portfolio(), make_tag(), make_employer()):
                history.log(admin, row, ADDITION)

    fill(1)
    queries()
    at_three = queries()
    fill(15)

    assert queries() == at_three
    assert len(history.latest(50)) == 48


def test_a_change_of_nothing_is_not_recorded(admin: User) -> None:
    history.log(admin, make_tag(), CHANGE, {})

    assert not LogEntry.objects.exists()


def test_several_rows_are_recorded_in_one_query(admin: User) -> None:
    rows = [make_portfolio() for _ in range(30)]
    ContentType.objects.get_for_model(Portfolio)

    with CaptureQueriesContext(connection) as captured:
        history.log_each(admin, CHANGE, [(row, {"order": (0, place)}) for place, row in enumerate(rows)])

    assert len(captured) == 1
    assert LogEntry.objects.count() == 30


def test_secrets_are_recorded_by_name_only(admin: User) -> None:
    token = Token.objects.issue(admin, name="site")[0]

    history.log(admin, admin, CHANGE, {"password": ("pbkdf2$old", "pbkdf2$new")})
    history.log(admin, token, CHANGE, {"digest": ("a" * 64, "b" * 64)})

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
    ("old", "new", "shown", "hidden"),
    [
        ("The red house", "The blue house", ["The ", ">red<", ">blue<", " house"], []),
        ("", "New", ["empty", "New"], []),
        ("<b>x</b>", "<i>y</i>", ["&lt;b&gt;", "&lt;i&gt;"], ["<b>", "<i>"]),
        ("\n".join("abcdefghij") * 60, "\n".join("abcdefghij") * 60 + "\nend", ["lines as before", ">end<"], []),
        ("x" * 40_000, "y" * 40_000, ["<details"], []),
    ],
)
def test_differences_of_texts(old: str, new: str, shown: list[str], hidden: list[str]) -> None:
    html = text_difference(old, new).replace("</span>", "<")

    for part in shown:
        assert part.replace(">", "").replace("<", "") in html.replace(">", "").replace("<", ""), part
    for part in hidden:
        assert part not in html
