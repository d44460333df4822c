from collections.abc import Callable, Iterator
from ipaddress import ip_network
from typing import Any

import pytest

from folio import snapshots
from folio.delivery.models import Event, Webhook
from folio.delivery.webhooks.teller import Teller
from folio.snapshots.looks import Looks
from folio.snapshots.watches import PostgreSQLWatch, watch_of
from tests.clock import Clock

from .endpoints import LOOPBACK, Endpoint, run
from .endpoints import endpoint as running_endpoint


@pytest.fixture(autouse=True)
def looks(monkeypatch: pytest.MonkeyPatch) -> Iterator[Looks | None]:
    """Looks of the test's own, whose connection ends with it; none at SQLite in memory."""
    watch = watch_of()
    looks = None if watch is None else Looks(watch)
    monkeypatch.setattr(snapshots, "looks", lambda: looks)
    yield looks
    if isinstance(watch, PostgreSQLWatch):
        watch.close()


@pytest.fixture
def private(settings: Any) -> None:
    """Let messages go to this machine."""
    settings.WEBHOOK_PRIVATE = [ip_network(LOOPBACK)]


@pytest.fixture
def endpoint(private: None) -> Iterator[Endpoint]:
    with running_endpoint() as found:
        yield found


@pytest.fixture
def make_webhook(endpoint: Endpoint) -> Callable[..., Webhook]:
    """Return a function that makes a webhook at the endpoint."""

    def make(**fields: Any) -> Webhook:
        return Webhook.objects.create(**{"url": endpoint.url, "events": list(Event.values), **fields})

    return make


@pytest.fixture
def teller() -> Iterator[Teller]:
    """Who compares and sends, where the test says so; each starts with a process that knows nothing."""
    teller = Teller()
    yield teller
    if teller.leases is not None:
        teller.leases.close()


@pytest.fixture
def tell(teller: Teller, clock: Clock) -> Callable[[], None]:
    """Return a function that lets the time pass in which changes are gathered, and has all be told that is due."""

    def tell() -> None:
        teller.step()
        clock.move(seconds=10)
        run(teller)

    return tell
