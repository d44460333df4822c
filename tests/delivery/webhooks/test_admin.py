"""Webhooks in the admin site: made, changed and tried by admins, with a secret that is shown once."""

import re
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client as Site
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from folio.delivery.admin.words import visible
from folio.delivery.models import DeliveryState, Telling, Webhook, WebhookDelivery
from folio.delivery.webhooks import entered, secret_of
from tests.factories import make_user
from tests.forms import errors, shown_values

from .hooks import BODY, MASKED, OTHER, OTHER_MASKED, URL, make_delivery, make_webhook

LIST = "/admin/delivery/webhook/"
ADD = f"{LIST}add/"
DELIVERIES = "/admin/delivery/webhookdelivery/"
SECRET = re.compile(r"whsec_[\w+/=]+")
EVENTS = ["published", "changed", "unpublished"]


@pytest.fixture
def site(site_for: Callable[[User], Site], admin: User) -> Site:
    return site_for(admin)


@pytest.fixture
def other(site_for: Callable[[User], Site]) -> Site:
    return site_for(make_user("otto", is_superuser=True, is_staff=True))


def given(**values: Any) -> dict[str, Any]:
    """Return what the form of a new webhook sends."""
    return {"form": uuid4(), "new_url": URL, "events": EVENTS, "is_active": "on", **values}


def change(webhook: Webhook) -> str:
    return f"{LIST}{webhook.pk}/change/"


def text_of(page: Any) -> str:
    text: str = page.content.decode()
    return text


# Make


def test_makes_a_webhook_and_shows_its_secret_once(site: Site) -> None:
    page = site.post(ADD, {**shown_values(site.get(ADD)), "new_url": f" {URL} "})

    webhook = Webhook.objects.get()
    assert page.status_code == 200
    assert set(SECRET.findall(text_of(page))) == {secret_of(webhook)}
    assert page.headers["Cache-Control"].startswith("no-store")
    assert (webhook.url, webhook.events, webhook.is_active) == (URL, EVENTS, True)
    for address in (LIST, change(webhook), f"{LIST}{webhook.pk}/history/", "/admin/"):
        assert not SECRET.search(text_of(site.get(address)))


def test_a_form_that_is_sent_again_makes_and_shows_nothing(site: Site) -> None:
    sent = given()
    site.post(ADD, sent)

    again = site.post(ADD, sent, follow=True)

    assert again.redirect_chain == [(LIST, 302)]
    assert "This form has made its webhook already." in text_of(again)
    assert not SECRET.search(text_of(again))
    assert Webhook.objects.count() == 1


def test_webhooks_have_secrets_of_their_own(site: Site) -> None:
    site.post(ADD, given())
    site.post(ADD, given())

    first, second = Webhook.objects.all()
    assert secret_of(first) != secret_of(second)


@pytest.mark.parametrize(
    ("values", "complaints"),
    [
        ({"new_url": ""}, {"new_url": ["This field is required."]}),
        ({"new_url": "harbour"}, {"new_url": ["An address begins with https:// or http://."]}),
        (
            {"new_url": MASKED},
            {"new_url": ["This is an address as it is shown, without its path. Enter the whole of it."]},
        ),
        ({"events": []}, {"events": ["Choose at least one."]}),
        (
            {"events": ["chnged"]},
            {"events": ["Select a valid choice. chnged is not one of the available choices."]},
        ),
        ({"form": "1"}, {"form": ["Enter a valid UUID."]}),
    ],
)
def test_says_what_is_wrong_and_makes_nothing(
    site: Site, values: dict[str, Any], complaints: dict[str, list[str]]
) -> None:
    assert errors(site.post(ADD, given(**values))) == complaints
    assert not Webhook.objects.exists()


def test_refuses_what_leads_into_the_servers_own_network(site: Site, settings: Any) -> None:
    settings.WEBHOOK_PRIVATE = []

    for url in ("http://127.0.0.1:8000/", "http://[::1]/", "http://10.0.0.1/", "http://169.254.169.254/"):
        assert "FOLIO_WEBHOOK_PRIVATE" in errors(site.post(ADD, given(new_url=url)))["new_url"][0]


def test_looks_a_name_up_before_anything_is_held(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[bool] = []

    def check(text: str) -> str:
        held.append(len(connection.savepoint_ids) > savepoints)
        return text

    savepoints = len(connection.savepoint_ids)
    monkeypatch.setattr(entered, "check_url", check)

    assert site.post(ADD, given()).status_code == 200
    webhook = Webhook.objects.get()
    site.post(change(webhook), {**shown_values(site.get(change(webhook))), "new_url": OTHER})
    webhook.refresh_from_db()
    assert (held, webhook.url) == ([False, False], OTHER)


# Change


def test_keeps_an_address_that_is_left_empty(site: Site) -> None:
    webhook = make_webhook()
    page = site.get(change(webhook))

    answer = site.post(change(webhook), {**shown_values(page), "events": ["changed"]})

    webhook.refresh_from_db()
    assert answer.status_code == 302
    assert (webhook.url, webhook.events) == (URL, ["changed"])
    assert MASKED in text_of(page)
    assert "a-secret-path" not in text_of(page)


def test_takes_another_address_and_shows_it_in_part(site: Site) -> None:
    webhook = make_webhook()
    secret = secret_of(webhook)

    site.post(change(webhook), {**shown_values(site.get(change(webhook))), "new_url": OTHER})

    webhook.refresh_from_db()
    assert (webhook.url, secret_of(webhook)) == (OTHER, secret)
    page = text_of(site.get(change(webhook)))
    assert OTHER_MASKED in page
    assert "another-one" not in page


def test_rests_where_it_is_made_to(site: Site) -> None:
    webhook = make_webhook()
    values = shown_values(site.get(change(webhook)))
    del values["is_active"]

    site.post(change(webhook), values)

    webhook.refresh_from_db()
    assert not webhook.is_active


def test_two_who_edit_one_are_told_and_lose_nothing(site: Site, other: Site) -> None:
    webhook = make_webhook()
    mine = {**shown_values(site.get(change(webhook))), "new_url": OTHER}
    theirs = shown_values(other.get(change(webhook)))
    other.post(change(webhook), {**theirs, "events": ["changed"], "new_url": f"{OTHER}/theirs"})

    page = site.post(change(webhook), mine)

    assert "Nothing was saved, because otto has changed this meanwhile." in text_of(page)
    assert {side.label: side.by for side in page.context["sides"]} == {
        "Tell it when": "someone else",
        "Address": "both",
    }
    assert "theirs" not in text_of(page)
    webhook.refresh_from_db()
    assert (webhook.url, webhook.events) == (f"{OTHER}/theirs", ["changed"])
    answer = site.post(change(webhook), shown_values(page))
    assert answer.status_code == 302, errors(answer)
    webhook.refresh_from_db()
    assert (webhook.url, webhook.events) == (OTHER, ["changed"])


def test_a_secret_that_is_renewed_meanwhile_is_no_collision(site: Site) -> None:
    webhook = make_webhook()
    mine = {**shown_values(site.get(change(webhook))), "events": ["changed"]}
    renew(site, webhook)

    assert site.post(change(webhook), mine).status_code == 302


def test_deletes_with_all_that_was_told(site: Site) -> None:
    webhook = make_webhook()
    make_delivery(webhook)

    page = site.get(f"{LIST}{webhook.pk}/delete/")
    site.post(f"{LIST}{webhook.pk}/delete/", {"post": "yes"})

    assert MASKED in text_of(page)
    assert not WebhookDelivery.objects.exists()
    assert not Webhook.objects.exists()


def test_deletes_those_that_are_chosen(site: Site) -> None:
    chosen = [make_webhook().pk, make_webhook().pk]
    make_delivery(make_webhook())

    site.post(LIST, {"action": "delete_selected", "_selected_action": chosen, "post": "yes"})

    assert Webhook.objects.count() == 1


# The secret


def renew(site: Site, webhook: Webhook) -> Any:
    page = site.get(f"{LIST}{webhook.pk}/secret/")
    return site.post(f"{LIST}{webhook.pk}/secret/", {"secret": page.context["now"]})


def test_gives_another_secret_and_shows_it_once(site: Site) -> None:
    webhook = make_webhook()
    former = secret_of(webhook)
    asked = site.get(f"{LIST}{webhook.pk}/secret/")

    page = renew(site, webhook)

    webhook.refresh_from_db()
    assert set(SECRET.findall(text_of(page))) == {secret_of(webhook)}
    assert secret_of(webhook) != former
    assert page.headers["Cache-Control"].startswith("no-store")
    assert not SECRET.search(text_of(asked))
    assert webhook.nonce not in text_of(page)


def test_a_page_that_is_sent_again_gives_none(site: Site) -> None:
    webhook = make_webhook()
    now = site.get(f"{LIST}{webhook.pk}/secret/").context["now"]
    site.post(f"{LIST}{webhook.pk}/secret/", {"secret": now})
    webhook.refresh_from_db()
    secret = secret_of(webhook)

    again = site.post(f"{LIST}{webhook.pk}/secret/", {"secret": now}, follow=True)

    webhook.refresh_from_db()
    assert secret_of(webhook) == secret
    assert not SECRET.search(text_of(again))
    assert site.post(f"{LIST}999/secret/", {"secret": now}).status_code == 404


def test_no_session_message_or_history_gets_address_or_secret(site: Site) -> None:
    site.post(ADD, given())
    webhook = Webhook.objects.get()
    secrets = [secret_of(webhook)]
    site.post(change(webhook), {**shown_values(site.get(change(webhook))), "new_url": OTHER})
    site.post(change(webhook), {**shown_values(site.get(change(webhook))), "new_url": f"{OTHER}/elsewhere"})
    renew(site, webhook)
    webhook.refresh_from_db()
    secrets.append(secret_of(webhook))

    entries = list(LogEntry.objects.order_by("pk"))
    history = text_of(site.get(f"{LIST}{webhook.pk}/history/"))
    kept = "".join(session.get_decoded().__repr__() for session in Session.objects.all())
    told = "".join(f"{entry.object_repr} {entry.change_message}" for entry in entries) + history + kept
    assert len(entries) == 4
    assert [entry.get_change_message() for entry in entries[2:]] == ["Changed Url.", "Changed Secret."]
    assert MASKED in history
    assert "All changes" in text_of(site.get(f"{LIST}{renarrowed(site).pk}/history/"))
    assert entries[1].change_message.count(OTHER_MASKED) == 1
    for secret in (*secrets, "a-secret-path", "another-one", "elsewhere"):
        assert secret not in told


def renarrowed(site: Site) -> Webhook:
    """Return a webhook that was told of all, and then of less."""
    webhook = make_webhook(url="https://8.8.8.8/")
    site.post(change(webhook), {**shown_values(site.get(change(webhook))), "events": ["changed"]})
    return webhook


# Deliveries


def test_the_list_says_what_came_of_the_last_delivery(site: Site) -> None:
    for state in (None, DeliveryState.DELIVERED, DeliveryState.FAILED):
        webhook = make_webhook(events=["changed"])
        if state:
            make_delivery(webhook, state=DeliveryState.DELIVERED)
            make_delivery(webhook, state=state, attempts=7, status=503 if state == DeliveryState.FAILED else 200)
    retried = make_webhook(is_active=False)
    make_delivery(retried, state=DeliveryState.WAITING, attempts=2, status=None, error="It was too slow.")
    under_way = make_webhook()
    make_delivery(under_way, state=DeliveryState.WAITING, attempts=1, status=None)
    make_delivery(make_webhook(is_active=False), state=DeliveryState.FAILED, attempts=0, status=None)

    page = text_of(site.get(LIST))

    for words in (
        "Nothing was sent yet",
        "Delivered on ",
        "Failed after 7 attempts (answered with 503)",
        "2 attempts failed; the next is due on ",
        "Being sent",
        "Not sent",
    ):
        assert words in page
    assert "a-secret-path" not in page


@pytest.mark.parametrize("address", [LIST, DELIVERIES, "/admin/"])
def test_a_page_costs_the_same_for_any_number(site: Site, address: str) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert site.get(address).status_code == 200
        return len(captured)

    make_delivery(make_webhook(), state=DeliveryState.FAILED)
    queries()
    few = queries()
    for _ in range(30):
        make_delivery(make_webhook(), state=DeliveryState.FAILED)
    assert queries() == few


def test_shows_what_a_stranger_answered_as_text(site: Site) -> None:
    hostile = '<script>alert(1)</script><img src=x onerror=alert(2)>\u202etxt.exe\x1b[31m\x07" onclick="x" &lt;\ud7ff'
    delivery = make_delivery(
        make_webhook(), state=DeliveryState.FAILED, attempts=7, status=500, answer=hostile, error="<b>late</b>"
    )

    page = text_of(site.get(f"{DELIVERIES}{delivery.pk}/change/"))

    assert (
        "&lt;script&gt;alert(1)&lt;/script&gt;&lt;img src=x onerror=alert(2)&gt;[U+202E]txt.exe[U+001B][31m[U+0007]"
        in page
    )
    assert "&quot; onclick=&quot;x&quot; &amp;lt;" in page
    assert "&lt;b&gt;late&lt;/b&gt;" in page
    for wrong in ("<script>alert", "<img src=x", "\u202e", "\x1b", "\x07", "<b>late"):
        assert wrong not in page


def test_leaves_visible_what_people_write() -> None:
    assert visible("نیم\u200cفاصله\n\tأهلا é 👩\u200d🎨") == "نیم\u200cفاصله\n\tأهلا é 👩\u200d🎨"
    assert visible("\u2066a\u2069\u200f\x7f\x00") == "[U+2066]a[U+2069][U+200F][U+007F][U+0000]"


@pytest.mark.parametrize("body", ["", "{", "[]", '{"data": 7}', '{"data": {"portfolios": [7, {}]}}'])
def test_a_body_of_another_kind_is_shown_too(site: Site, body: str) -> None:
    delivery = make_delivery(make_webhook(), body=body)

    assert site.get(f"{DELIVERIES}{delivery.pk}/change/").status_code == 200


def test_lists_the_deliveries_of_one_webhook_and_of_one_state(site: Site) -> None:
    webhook = make_webhook()
    mine = [make_delivery(webhook), make_delivery(webhook, state=DeliveryState.FAILED)]
    make_delivery(make_webhook())

    of_webhook = site.get(DELIVERIES, {"webhook__id__exact": webhook.pk}).context["cl"].result_list
    failed = site.get(DELIVERIES, {"state": "failed"}).context["cl"].result_list

    assert set(of_webhook) == set(mine)
    assert list(failed) == mine[1:]
    assert f"{DELIVERIES}?webhook__id__exact={webhook.pk}" in text_of(site.get(change(webhook)))
    assert site.get(DELIVERIES, {"state": "no-such"}).status_code in {200, 302}


def test_sends_again_from_the_list_and_from_its_page(site: Site) -> None:
    delivery = make_delivery(make_webhook(), state=DeliveryState.FAILED, attempts=7)
    address = f"{DELIVERIES}{delivery.pk}/send/"

    assert f'formaction="{address}"' in text_of(site.get(DELIVERIES))
    assert f'action="{address}"' in text_of(site.get(f"{DELIVERIES}{delivery.pk}/change/"))
    page = site.post(address, follow=True)

    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts) == (DeliveryState.WAITING, 0)
    assert "It will be sent again in a moment." in text_of(page)
    assert address not in text_of(page)
    assert site.get(address).status_code == 405
    [entry] = LogEntry.objects.all()
    assert entry.object_id == str(delivery.webhook_id)
    history = text_of(site.get(f"{LIST}{delivery.webhook_id}/history/"))
    assert f"The message {delivery.message_id} was sent again." in history


def test_says_why_it_does_not_send_again(site: Site) -> None:
    busy, resting = make_webhook(), make_webhook(is_active=False)
    make_delivery(busy, state=DeliveryState.WAITING)

    for webhook, reason in ((busy, "Another message to this webhook waits"), (resting, "The webhook is inactive")):
        page = site.post(f"{DELIVERIES}{make_delivery(webhook).pk}/send/", follow=True)
        assert reason in text_of(page)
    assert WebhookDelivery.objects.filter(state=DeliveryState.WAITING).count() == 1
    assert not LogEntry.objects.exists()
    assert "deleted meanwhile" in text_of(site.post(f"{DELIVERIES}999/send/", follow=True))


def test_sends_a_test_that_names_nothing(site: Site) -> None:
    webhook = make_webhook()

    page = site.post(f"{LIST}{webhook.pk}/test/", follow=True)

    delivery = WebhookDelivery.objects.get()
    assert delivery.state == DeliveryState.WAITING
    assert delivery.next_attempt_at is not None
    assert delivery.next_attempt_at <= timezone.now()
    assert '"portfolios":[]' in delivery.body
    assert "A test is sent in a moment." in text_of(page)
    assert "Another message to this webhook waits" in text_of(site.post(f"{LIST}{webhook.pk}/test/", follow=True))
    resting = make_webhook(is_active=False)
    assert "The webhook is inactive" in text_of(site.post(f"{LIST}{resting.pk}/test/", follow=True))
    assert site.get(f"{LIST}{webhook.pk}/test/").status_code == 405


def test_nobody_makes_changes_or_deletes_a_delivery(site: Site) -> None:
    delivery = make_delivery(make_webhook())

    assert site.get(f"{DELIVERIES}add/").status_code == 403
    assert site.post(f"{DELIVERIES}{delivery.pk}/change/", {"state": "failed"}).status_code == 403
    assert site.post(f"{DELIVERIES}{delivery.pk}/delete/", {"post": "yes"}).status_code == 403
    assert WebhookDelivery.objects.filter(state=DeliveryState.DELIVERED).exists()


# Who may, and the home page


def test_others_are_let_in_nowhere(site_for: Callable[[User], Site], editor: User, grant: Callable[..., None]) -> None:
    grant(editor, "delivery.change_webhook", "delivery.view_webhook", "delivery.add_webhook", "delivery.delete_webhook")
    webhook = make_webhook()
    delivery = make_delivery(webhook, state=DeliveryState.FAILED)
    site = site_for(editor)

    for address in (LIST, ADD, change(webhook), f"{LIST}{webhook.pk}/secret/", f"{LIST}{webhook.pk}/history/"):
        assert site.get(address).status_code == 403, address
    for address in (DELIVERIES, f"{DELIVERIES}{delivery.pk}/change/"):
        assert site.get(address).status_code == 403, address
    for address in (
        ADD,
        f"{LIST}{webhook.pk}/test/",
        f"{LIST}{webhook.pk}/secret/",
        f"{DELIVERIES}{delivery.pk}/send/",
    ):
        assert site.post(address, {}).status_code == 403, address
    assert "Webhooks" not in text_of(site.get("/admin/"))
    assert "told of changes" not in text_of(site.get("/admin/"))


def test_a_form_from_elsewhere_is_refused(admin: User) -> None:
    site = Site(enforce_csrf_checks=True)
    site.force_login(admin)
    webhook = make_webhook()
    delivery = make_delivery(webhook)

    for address in (
        ADD,
        f"{LIST}{webhook.pk}/test/",
        f"{LIST}{webhook.pk}/secret/",
        f"{DELIVERIES}{delivery.pk}/send/",
    ):
        assert site.post(address, {}).status_code == 403, address


def test_the_home_page_says_nothing_where_there_are_none(site: Site) -> None:
    assert "Websites that are told of changes" not in text_of(site.get("/admin/"))


def test_the_home_page_says_what_waits_and_what_failed(site: Site) -> None:
    make_delivery(make_webhook(url="https://8.8.8.8/fine"))
    make_delivery(make_webhook(url="https://8.8.4.4/rests", is_active=False), state=DeliveryState.FAILED)
    assert "All were told of all changes." in text_of(site.get("/admin/"))

    failed = make_webhook()
    make_delivery(failed, state=DeliveryState.FAILED, attempts=7, status=404)
    gathering = make_webhook(url=OTHER)
    Telling.objects.update_or_create(webhook=gathering, defaults={"changes": {"7": ["harbour", "changed"]}})

    page = text_of(site.get("/admin/"))
    assert "All were told of all changes." not in page
    assert "Failed after 7 attempts (answered with 404)" in page
    assert change(failed) in page
    assert change(gathering) in page
    assert "More changes wait to be told" in page
    assert "8.8.8.8" not in page
    assert "8.8.4.4" not in page
    assert "a-secret-path" not in page


@pytest.mark.parametrize("address", [LIST, DELIVERIES, f"{DELIVERIES}?state=failed", "/admin/"])
def test_ten_thousand_deliveries_are_no_burden(site: Site, address: str) -> None:
    webhook = make_webhook()
    body = BODY + " " * 5_000
    WebhookDelivery.objects.bulk_create(
        WebhookDelivery(webhook=webhook, message_id=f"m{n}", body=body, state=DeliveryState.DELIVERED, attempts=1)
        for n in range(10_000)
    )
    site.get(address)

    began = time.monotonic()
    with CaptureQueriesContext(connection) as captured:
        page = site.get(address)

    assert time.monotonic() - began < 5  # on a machine that does much else; bodies alone would be 50 MB
    assert not any('"delivery_webhookdelivery"."body"' in query["sql"] for query in captured)
    assert len(page.content) < 300_000


def test_a_webhook_of_ten_thousand_deliveries_is_deleted(site: Site) -> None:
    webhook = make_webhook()
    WebhookDelivery.objects.bulk_create(
        WebhookDelivery(webhook=webhook, message_id=f"m{n}", body=BODY, state=DeliveryState.DELIVERED)
        for n in range(10_000)
    )
    address = f"{LIST}{webhook.pk}/delete/"

    page = site.get(address)
    with CaptureQueriesContext(connection) as captured:
        site.post(address, {"post": "yes"})

    assert len(page.content) < 100_000
    assert len(captured) < 60
    assert not WebhookDelivery.objects.exists()
