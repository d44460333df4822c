"""What websites are told of, whoever wrote."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from folio.delivery.models import Event, Telling, ToldPortfolio, Webhook, WebhookDelivery
from folio.delivery.webhooks import secret_of
from folio.delivery.webhooks.teller import LEASE, Teller
from folio.media.models import Media
from folio.portfolios.models import Employer, Portfolio, Tag
from folio.tasks.leases import leases
from tests.clock import Clock
from tests.factories import make_employer, make_image, make_meta, make_portfolio, make_tag

from .endpoints import Endpoint
from .running import run

pytestmark = pytest.mark.django_db(transaction=True)
Make = Callable[..., Webhook]
Tell = Callable[[], None]


def test_tells_what_was_published_after_a_while(
    endpoint: Endpoint, make_webhook: Make, teller: Teller, clock: Clock
) -> None:
    webhook = make_webhook()
    run(teller)
    portfolio = make_portfolio(slug="new")

    clock.move(seconds=9)
    run(teller)
    assert not endpoint.received
    clock.move(seconds=1)
    run(teller)

    [received] = endpoint.received
    assert received.verify(secret_of(webhook)) == {
        "type": "portfolios.changed",
        "timestamp": clock.now.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "data": {"portfolios": [{"id": portfolio.pk, "slug": "new", "event": "published"}], "manifest": False},
    }
    assert received.headers["content-type"] == "application/json"
    assert received.headers["user-agent"].startswith("Folio/")
    assert received.headers["webhook-timestamp"] == str(int(clock.now.timestamp()))
    assert received.id.startswith("msg_")


def test_the_body_is_exactly_that(endpoint: Endpoint, make_webhook: Make, tell: Tell) -> None:
    make_webhook()
    portfolio = make_portfolio(slug="é")
    tell()

    [received] = endpoint.received
    timestamp = received.message["timestamp"]
    assert received.body.decode() == (
        f'{{"type":"portfolios.changed","timestamp":"{timestamp}","data":{{"portfolios":'
        f'[{{"id":{portfolio.pk},"slug":"é","event":"published"}}],"manifest":false}}}}'
    )


def test_tells_changes_together(endpoint: Endpoint, make_webhook: Make, tell: Tell, clock: Clock) -> None:
    changed, unpublished = make_portfolio(slug="changed"), make_portfolio(slug="unpublished")
    make_portfolio(slug="same")
    make_webhook()
    clock.move(seconds=1)
    make_portfolio(slug="new")
    make_portfolio(slug="draft", is_active=False)
    changed.title = "Changed"
    changed.save()
    unpublished.is_active = False
    unpublished.save()

    tell()

    [received] = endpoint.received
    assert received.events == {"new": "published", "changed": "changed", "unpublished": "unpublished"}


def change_title() -> None:
    Portfolio.objects.filter(slug="work").update(title="By another program")


def change_tag() -> None:
    Tag.objects.update(name="By another program")


def change_employer() -> None:
    Employer.objects.update(name="By another program")


def change_alt() -> None:
    Media.objects.filter(alt="Shown").update(alt="By another program")


def change_cover() -> None:
    Portfolio.objects.filter(slug="work").update(image=Media.objects.get(alt="Other"))


def change_order_of_gallery() -> None:
    connection.cursor().execute("UPDATE portfolios_portfolioimage SET caption = 'By another program'")


def change_meta() -> None:
    connection.cursor().execute("UPDATE portfolios_metaentry SET value_text = 'x' WHERE key = 'shown'")


WRITES = [change_title, change_tag, change_employer, change_alt, change_cover, change_order_of_gallery, change_meta]


@pytest.mark.parametrize("write", WRITES)
def test_tells_what_others_wrote(
    endpoint: Endpoint, make_webhook: Make, tell: Tell, clock: Clock, write: Callable[[], None]
) -> None:
    """No signal is sent, and nothing of the portfolio itself says that it was changed."""
    shown, _ = make_image(alt="Shown"), make_image(alt="Other")
    work = make_portfolio(slug="work", images=[shown], tags=[make_tag()], employer=make_employer())
    make_meta(work, key="shown")
    make_portfolio(slug="same")
    make_webhook()
    tell()
    assert not endpoint.received

    write()
    tell()

    [received] = endpoint.received
    assert received.events == {"work": "changed"}


def test_tells_nothing_of_what_visitors_do_not_see(
    endpoint: Endpoint, make_webhook: Make, tell: Tell, clock: Clock
) -> None:
    work = make_portfolio()
    make_portfolio(slug="draft", is_active=False)
    make_webhook()
    tell()

    make_meta(work, key="_hidden")
    Portfolio.objects.filter(slug="draft").update(title="Still a draft")
    make_tag(name="Nobody has it")
    make_image()
    tell()

    assert not endpoint.received


def test_tells_of_moments_that_come_with_no_write(
    endpoint: Endpoint, make_webhook: Make, tell: Tell, clock: Clock, teller: Teller
) -> None:
    make_portfolio(slug="later", publish_at=clock.after(minutes=5))
    make_portfolio(slug="once", unpublish_at=clock.after(minutes=5))
    make_webhook()
    tell()
    assert not endpoint.received

    clock.move(minutes=5)
    run(teller)
    tell()

    [received] = endpoint.received
    assert received.events == {"later": "published", "once": "unpublished"}


def test_tells_a_new_slug_as_a_change(endpoint: Endpoint, make_webhook: Make, tell: Tell, clock: Clock) -> None:
    work = make_portfolio(slug="before")
    make_webhook()
    tell()

    work.slug = "after"
    work.save()
    tell()

    assert endpoint.received[0].events == {"after": "changed"}


def test_tells_of_a_deleted_one_by_the_slug_that_it_had(endpoint: Endpoint, make_webhook: Make, tell: Tell) -> None:
    work = make_portfolio(slug="gone")
    pk = work.pk
    make_webhook()
    tell()

    work.delete()
    tell()

    expected = [{"id": pk, "slug": "gone", "event": "unpublished"}]
    assert endpoint.received[0].message["data"]["portfolios"] == expected


def set_active(is_active: bool) -> None:
    Portfolio.objects.filter(slug="work").update(is_active=is_active)


@pytest.mark.parametrize(
    ("was_published", "steps", "event"),
    [
        (False, [lambda: set_active(True), change_title], "published"),
        (False, [lambda: set_active(True), lambda: set_active(False)], None),
        (False, [lambda: set_active(True), change_title, lambda: set_active(False)], None),
        (True, [change_title, change_tag], "changed"),
        (True, [change_title, lambda: set_active(False)], "unpublished"),
        (True, [lambda: set_active(False), lambda: set_active(True)], "changed"),
        (True, [lambda: set_active(False), lambda: set_active(True), lambda: set_active(False)], "unpublished"),
        (False, [lambda: set_active(True), lambda: set_active(False), lambda: set_active(True)], "published"),
    ],
)
def test_what_changes_while_a_message_waits_goes_into_the_next_as_one(
    endpoint: Endpoint,
    make_webhook: Make,
    tell: Tell,
    clock: Clock,
    was_published: bool,
    steps: list[Callable[[], None]],
    event: str | None,
) -> None:
    make_portfolio(slug="work", is_active=was_published, tags=[make_tag()])
    make_webhook()
    tell()
    endpoint.answer = 503
    make_portfolio(slug="first")
    tell()

    for step in steps:
        step()
        tell()
    endpoint.answer = 204
    clock.move(days=1)
    tell()
    tell()

    messages = list({each.id: each for each in endpoint.received}.values())
    assert messages[0].events == {"first": "published"}
    assert [each.events for each in messages[1:]] == ([{"work": event}] if event else [])


@pytest.mark.parametrize("event", Event.values)
def test_tells_only_of_the_events_that_are_wanted(
    endpoint: Endpoint, make_webhook: Make, tell: Tell, clock: Clock, event: str
) -> None:
    changed, unpublished = make_portfolio(slug="changed"), make_portfolio(slug="unpublished")
    webhook = make_webhook(events=[event])
    tell()
    Portfolio.objects.filter(pk=changed.pk).update(title="Changed")
    unpublished.delete()
    make_portfolio(slug="published")

    tell()

    [received] = endpoint.received
    assert received.events == {event: event}
    assert Telling.objects.get(webhook=webhook).changes == {}


def test_says_nothing_where_no_wanted_event_is_left(endpoint: Endpoint, make_webhook: Make, tell: Tell) -> None:
    make_webhook(events=["unpublished"])
    make_portfolio()
    tell()

    assert not endpoint.received
    assert not WebhookDelivery.objects.exists()


def make_many(count: int) -> None:
    Portfolio.objects.bulk_create(
        Portfolio(title=f"One of {number}", slug=f"many-{number}", excerpt="An excerpt.") for number in range(count)
    )


@pytest.mark.parametrize(("count", "is_named"), [(1_000, True), (1_001, False)])
def test_names_a_thousand_and_sends_to_the_manifest_for_more(
    endpoint: Endpoint, make_webhook: Make, tell: Tell, count: int, is_named: bool
) -> None:
    make_webhook()
    Portfolio.objects.bulk_create(
        Portfolio(title=f"One of many {number}", slug=f"many-{number}", excerpt="An excerpt.")
        for number in range(count)
    )
    tell()

    [received] = endpoint.received
    data = received.message["data"]
    assert data["manifest"] is not is_named
    assert len(data["portfolios"]) == count if is_named else data["portfolios"] is None

    make_portfolio(slug="one-more")  # what was too much is told of, and over
    tell()
    assert endpoint.received[-1].events == {"one-more": "published"}


def test_what_is_not_wanted_makes_no_thousand(endpoint: Endpoint, make_webhook: Make, tell: Tell) -> None:
    work = make_portfolio(slug="changed")
    make_webhook(events=["changed"])
    tell()
    Portfolio.objects.filter(pk=work.pk).update(title="Changed")
    Portfolio.objects.bulk_create(
        Portfolio(title=f"One of many {number}", slug=f"many-{number}", excerpt="An excerpt.")
        for number in range(1_001)
    )

    tell()

    assert endpoint.received[0].events == {"changed": "changed"}


# What was before


def test_a_first_webhook_is_told_nothing_of_the_past(
    endpoint: Endpoint, make_webhook: Make, tell: Tell, clock: Clock
) -> None:
    make_portfolio()
    clock.move(seconds=1)
    make_webhook()
    tell()

    assert not endpoint.received
    assert all(ToldPortfolio.objects.values_list("digest", flat=True))


def test_a_first_webhook_is_told_of_the_moment_after_it(
    endpoint: Endpoint, make_webhook: Make, tell: Tell, clock: Clock
) -> None:
    """Though nothing was compared yet."""
    changed, unpublished = make_portfolio(slug="changed"), make_portfolio(slug="unpublished")
    make_portfolio(slug="same")
    clock.move(seconds=1)
    make_webhook()
    clock.move(microseconds=1)
    changed.title = "Changed"
    changed.save()
    unpublished.delete()
    make_portfolio(slug="new")

    tell()

    assert endpoint.received[0].events == {"changed": "changed", "unpublished": "unpublished", "new": "published"}


def test_an_activated_webhook_is_told_nothing_of_the_past(
    endpoint: Endpoint, make_webhook: Make, tell: Tell, clock: Clock
) -> None:
    webhook = make_webhook()
    tell()
    webhook.is_active = False
    webhook.save()
    make_portfolio(slug="meanwhile")
    tell()
    clock.move(seconds=1)
    webhook.is_active = True
    webhook.save()
    make_portfolio(slug="new")
    tell()

    assert [each.events for each in endpoint.received] == [{"new": "published"}]


@pytest.mark.parametrize("is_active", [True, False])
def test_follows_webhooks_that_were_changed_past_django(
    endpoint: Endpoint, make_webhook: Make, tell: Tell, is_active: bool
) -> None:
    webhook = make_webhook(is_active=not is_active)
    tell()
    Webhook.objects.filter(pk=webhook.pk).update(is_active=is_active)
    tell()
    make_portfolio()
    tell()

    assert len(endpoint.received) == is_active
    assert Telling.objects.exists() is is_active


def test_saving_a_webhook_as_it_was_read_undoes_nothing(endpoint: Endpoint, make_webhook: Make, tell: Tell) -> None:
    old = Webhook.objects.get(pk=make_webhook().pk)
    endpoint.answer = 500
    make_portfolio(slug="first")
    tell()
    make_portfolio(slug="second")
    tell()

    old.save()

    assert [event for _, event in Telling.objects.get().changes.values()] == ["published"]


# What it costs


@contextmanager
def no_writes() -> Iterator[None]:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        yield
    begun = [query["sql"] for query in queries if not query["sql"].startswith("SELECT")]
    assert not begun


def test_a_comparison_that_finds_nothing_writes_nothing(make_webhook: Make, tell: Tell) -> None:
    make_portfolio(tags=[make_tag()])
    make_webhook()
    tell()

    with no_writes():
        tell()


def test_without_a_webhook_nothing_is_compared(teller: Teller, clock: Clock) -> None:
    make_portfolio()

    with CaptureQueriesContext(connection) as queries:
        assert not teller.step()
    assert len([query for query in queries if "portfolios_portfolio" not in query["sql"]]) == 1


def test_an_inactive_webhook_compares_and_writes_nothing(make_webhook: Make, tell: Tell) -> None:
    make_webhook(is_active=False)
    make_portfolio()

    with no_writes():
        tell()
    assert not ToldPortfolio.objects.exists()


def test_compares_in_a_number_of_queries_that_the_portions_decide(
    make_webhook: Make, tell: Tell, clock: Clock, teller: Teller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def count() -> int:
        teller.step()
        clock.move(seconds=10)
        with CaptureQueriesContext(connection) as queries:
            teller.step()
        return len(queries)

    make_webhook()
    for number in range(50):
        make_portfolio(tags=[make_tag()], employer=make_employer(), image=make_image())
        if number == 0:
            tell()
            tell()
            few = count()
    tell()
    tell()

    assert count() == few


def test_what_is_compared_in_portions_is_the_same(
    endpoint: Endpoint, make_webhook: Make, tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("folio.delivery.webhooks.comparing.PORTION", 3)
    monkeypatch.setattr("folio.delivery.webhooks.comparing.AT_ONCE", 4)
    works = [make_portfolio(slug=f"work-{number}") for number in range(10)]
    make_webhook()
    tell()
    assert all(ToldPortfolio.objects.values_list("digest", flat=True))
    for number, work in enumerate(works):
        if number % 3 == 0:
            work.delete()
        elif number % 3 == 1:
            Portfolio.objects.filter(pk=work.pk).update(title=f"Changed {number}")
    make_portfolio(slug="new")

    tell()

    told = {slug: event for each in endpoint.received for slug, event in each.events.items()}
    assert told == {
        **{f"work-{number}": "unpublished" for number in (0, 3, 6, 9)},
        **{f"work-{number}": "changed" for number in (1, 4, 7)},
        "new": "published",
    }


def test_two_that_compare_tell_it_once(endpoint: Endpoint, make_webhook: Make, teller: Teller, clock: Clock) -> None:
    other = Teller()
    make_webhook()
    for each in (teller, other):
        run(each)
    make_portfolio()
    for each in (teller, other):
        each.step()
    clock.move(seconds=10)
    for each in (teller, other):
        run(each)

    assert len(endpoint.received) == 1


def test_what_someone_else_compares_is_looked_at_later(
    endpoint: Endpoint, make_webhook: Make, teller: Teller, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Should whoever is at it die, nothing is lost."""
    make_webhook()
    run(teller)
    make_portfolio()
    teller.step()
    clock.move(seconds=10)
    with monkeypatch.context() as patch:
        patch.setattr("folio.tasks.leases.FileLeases.take", lambda self, work: False)
        patch.setattr("folio.tasks.leases.PostgreSQLLeases.take", lambda self, work: False)
        run(teller)
    clock.move(seconds=59)
    run(teller)
    assert not endpoint.received

    clock.move(seconds=1)
    run(teller)
    assert len(endpoint.received) == 1


@pytest.mark.parametrize("part", ["Comparison.go_on", "note"])
def test_a_comparison_that_fails_is_made_again(
    endpoint: Endpoint, make_webhook: Make, teller: Teller, clock: Clock, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    def fail(*arguments: Any, **options: Any) -> None:
        raise RuntimeError

    make_webhook()
    run(teller)
    make_portfolio()
    teller.step()
    clock.move(seconds=10)
    with monkeypatch.context() as patch:
        patch.setattr(f"folio.delivery.webhooks.comparing.{part}", fail)
        with pytest.raises(RuntimeError):
            teller.step()

    clock.move(seconds=60)
    run(teller)
    assert len(endpoint.received) == 1


def test_comparing_takes_no_more_than_a_share_of_the_time(make_webhook: Make, teller: Teller, clock: Clock) -> None:
    make_webhook()
    teller.step()
    teller.rest(6.0)
    assert teller.rest_until == clock.now
    teller.rest(5.8)
    assert teller.rest_until == clock.after(seconds=90)  # 1.8 seconds too much, at 2 %

    clock.move(seconds=30)
    run(teller)
    make_portfolio()
    teller.seen = None
    teller.step()
    assert clock.after(seconds=59) < (teller.compare_at or clock.now) < clock.after(seconds=90)

    clock.move(minutes=5)
    run(teller)
    assert teller.rest_until == clock.now


def test_comparing_spares_those_who_write_all_the_time_at_once(
    make_webhook: Make, teller: Teller, clock: Clock
) -> None:
    make_webhook()
    teller.step()
    for _ in range(9):
        clock.move(seconds=1)
        teller.seen = None  # as if something had been committed
        teller.notice()
    teller.rest(0.6)
    assert teller.rest_until == clock.after(seconds=30)

    clock.move(seconds=1)
    teller.measure(is_news=False)
    teller.rest(0.6)
    assert teller.rest_until == clock.now


def test_what_was_committed_between_two_late_looks_is_not_all_the_time(
    make_webhook: Make, teller: Teller, clock: Clock
) -> None:
    make_webhook()
    teller.step()
    for _ in range(3):
        clock.move(seconds=9)
        teller.seen = None
        teller.notice()
    teller.rest(6.0)

    assert teller.rest_until == clock.now


@pytest.fixture
def busy(teller: Teller, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Return a function after which others write all the time, as far as the teller knows, and a piece is two rows."""
    monkeypatch.setattr("folio.delivery.webhooks.comparing.SMALL", 2)
    monkeypatch.setattr("folio.delivery.webhooks.teller.PIECE", 0.0)

    def begin() -> None:
        for _ in range(9):
            clock.move(seconds=1)
            teller.seen = None  # as if something had been committed
            teller.notice()
        assert teller.is_busy
        clock.move(seconds=2)
        teller.seen = None

    return begin


def piece_by_piece(teller: Teller, clock: Clock, pieces: int) -> None:
    """Let so many pieces be compared, while others write."""
    for _ in range(pieces):
        assert teller.comparison is not None
        clock.now = max(clock.now, teller.go_on_at)
        teller.seen = None
        teller.step()


def test_pieces_of_a_comparison_are_told_together(
    endpoint: Endpoint, make_webhook: Make, teller: Teller, clock: Clock, busy: Callable[[], None]
) -> None:
    make_webhook()
    teller.step()
    works = [make_portfolio(slug=f"work-{number}") for number in range(5)]
    busy()
    teller.step()
    piece_by_piece(teller, clock, 1)
    assert not ToldPortfolio.objects.exists()

    piece_by_piece(teller, clock, 1)
    run(teller)
    assert teller.comparison is None
    [message] = endpoint.received
    assert message.events == {work.slug: "published" for work in works}


def test_what_is_written_between_two_pieces_is_told_by_the_next_comparison(
    endpoint: Endpoint, make_webhook: Make, teller: Teller, clock: Clock, busy: Callable[[], None]
) -> None:
    first, *_ = [make_portfolio(slug=f"work-{number}") for number in range(5)]
    make_webhook()
    run(teller)
    busy()
    teller.step()
    Portfolio.objects.filter(pk=first.pk).update(title="Changed after it was compared")
    piece_by_piece(teller, clock, 2)
    assert not endpoint.received

    assert teller.compare_at is not None
    clock.now = teller.compare_at
    run(teller)
    assert [each.events for each in endpoint.received] == [{"work-0": "changed"}]


def test_a_comparison_ends_at_once_where_others_write_no_more(
    endpoint: Endpoint, make_webhook: Make, teller: Teller, clock: Clock, busy: Callable[[], None]
) -> None:
    make_webhook()
    teller.step()
    for _ in range(9):
        make_portfolio()
    busy()
    teller.step()
    assert teller.comparison is not None

    teller.busy_since = None
    clock.now = teller.go_on_at
    run(teller)
    assert teller.comparison is None
    assert len(endpoint.received) == 1


def test_nobody_else_compares_between_two_pieces(
    make_webhook: Make, teller: Teller, clock: Clock, busy: Callable[[], None]
) -> None:
    make_webhook()
    teller.step()
    for _ in range(5):
        make_portfolio()
    busy()
    teller.step()
    other = leases()
    is_free = other.take(LEASE)
    other.close()
    assert not is_free

    teller.close()
    assert other.take(LEASE)
    other.close()


def test_a_comparison_that_fails_in_the_middle_begins_anew(
    endpoint: Endpoint,
    make_webhook: Make,
    teller: Teller,
    clock: Clock,
    busy: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*arguments: Any, **options: Any) -> None:
        raise RuntimeError

    make_webhook()
    teller.step()
    for _ in range(5):
        make_portfolio()
    busy()
    teller.step()
    with monkeypatch.context() as patch:
        patch.setattr("folio.delivery.webhooks.comparing.told", fail)
        with pytest.raises(RuntimeError):
            piece_by_piece(teller, clock, 1)
    assert teller.comparison is None

    teller.busy_since = None
    clock.move(seconds=60)
    run(teller)
    [message] = endpoint.received
    assert len(message.events) == 5


def test_pieces_take_their_share_of_the_time_and_end_in_a_minute(
    make_webhook: Make, teller: Teller, clock: Clock, busy: Callable[[], None]
) -> None:
    make_webhook()
    teller.step()
    for _ in range(8):
        make_portfolio()
    busy()
    began = clock.now
    teller.step()
    assert teller.comparison is not None
    assert clock.now < teller.go_on_at <= teller.rest_until

    teller.worked = 600.0  # seconds for two of the eight: more than there is room for in a minute
    assert teller.pause_to_end_in_time(1.0) < timedelta(seconds=0.1)
    teller.worked = 1.0
    assert teller.pause_to_end_in_time(1.0) > timedelta(seconds=10)
    clock.now = began + timedelta(seconds=61)
    assert teller.pause_to_end_in_time(1.0) == timedelta(0)
    assert 0 < teller.pause() < 0.01  # it has waited for long enough
