"""What has changed of what is published since it was last looked at, whoever wrote.

All that is published is gone through by ids, in portions, beside what was told of it; nothing is written unless
something differs. What differs goes, in one transaction, into the rows that say what was told and into what each
webhook is still to be told: either both know of it or neither.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Min, Value
from django.utils import timezone

from folio.portfolios.models import Portfolio
from folio.portfolios.moments import hold
from folio.snapshots import LOOKS, SNAPSHOT
from folio.snapshots.looks import Looks

from ..manifest import told
from ..models import Event, Telling, ToldPortfolio
from .outbox import gather_for, locked, put_together

PORTION = 500  # portfolios that are read at once
SMALL = 50  # where others write all the time, and wait meanwhile: for Python's lock, if for nothing else
AT_ONCE = 5_000  # differences that are written at once, while other writers wait
ANEW = 3  # times that a portion is read, where something was committed meanwhile


class Difference(NamedTuple):
    """A portfolio that is not as it was told."""

    id: int
    slug: str
    digest: str  # now; "" where it is not published any more
    before: (
        str | None
    )  # the digest that was told; "" where only its being published was noted, None where not even that
    event: str | None  # to be told; None where a baseline is completed


def begin_baseline() -> None:
    """Take all that is published for told, as it is now; the next comparison adds the digests, which take longer."""
    ToldPortfolio.objects.all().delete()
    rows = Portfolio.objects.only_published().order_by("pk").values_list("pk", "slug", Value(""))
    sql, parameters = rows.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {ToldPortfolio._meta.db_table} (portfolio_id, slug, digest) "
            f"{sql} ON CONFLICT (portfolio_id) DO NOTHING",
            parameters,
        )


def complete_baseline() -> None:
    """Add the digests to a baseline; of what has changed since it was begun, the next comparison does, and tells it."""
    ids = list(ToldPortfolio.objects.filter(digest="").order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(ids), PORTION):
        portion = ids[start : start + PORTION]
        entries = told(portion, base(), None)
        changed = touched_since_baseline(portion)  # after that: what was read may be newer than the baseline
        found = [Difference(pk, *entry, "", None) for pk, entry in entries.items() if pk not in changed]
        if found:
            note(found)


def base() -> str:
    """Return what the URLs begin with in what is compared; where it is known, visitors' manifests are kept with it."""
    parts = urlsplit(settings.PUBLIC_URL or "http://localhost")
    return f"{parts.scheme}://{parts.netloc}"


def compare(looks: Looks | None) -> int:
    """Look for what has changed, and have it told; return how many portfolios that were."""
    comparison = Comparison(looks)
    while not comparison.is_over:
        comparison.go_on()
    return comparison.count


class Comparison:
    """A look for what has changed, in pieces; it is had told once all of it, or very much, was found."""

    def __init__(self, looks: Looks | None) -> None:
        self.looks = looks
        self.last = 0  # the id up to which was compared
        self.waiting: list[Difference] = []
        self.seen = 0  # portfolios
        self.count = 0  # of them that were had told
        self.is_over = False

    def go_on(self, *, is_hurried: bool = False) -> None:
        """Compare a portion; a small one, read once, where `is_hurried`: others write meanwhile, all the time."""
        size = SMALL if is_hurried else PORTION
        published: Any = Portfolio.objects.only_published().order_by("pk").values_list("pk", flat=True)
        ids = list(published.filter(pk__gt=self.last)[:size])
        self.is_over = len(ids) < size
        end = None if self.is_over else ids[-1]
        self.waiting += differences(self.last, end, ids, self.looks, 1 if is_hurried else ANEW)
        self.seen += len(ids)
        if end is not None:
            self.last = end
        if self.waiting and (self.is_over or len(self.waiting) >= AT_ONCE):
            found, self.waiting = self.waiting, []
            self.count += note(found)


def differences(
    after: int, end: int | None, ids: list[int], looks: Looks | None, times: int = ANEW
) -> list[Difference]:
    """Return how the published portfolios with these ids, all that there are between two, differ from what was told.

    What is committed while they are read might show them as they never were. That would be told, and be found out by
    the next comparison; but it is read anew first, so many times at the most.
    """
    found: list[Difference] = []
    for _ in range(times):
        environ: dict[str, Any] = {LOOKS: looks, SNAPSHOT: looks.snapshot() if looks else None}
        hold(environ)
        snapshot = environ[SNAPSHOT]
        found = list(read(after, end, ids, snapshot))
        if not found or looks is None or snapshot is None or looks.snapshot() == snapshot:
            break
    return found


def read(after: int, end: int | None, ids: list[int], snapshot: int | None) -> Iterator[Difference]:
    rows = ToldPortfolio.objects.filter(pk__gt=after).order_by("pk")
    if end is not None:
        rows = rows.filter(pk__lte=end)
    before = {pk: (slug, digest) for pk, slug, digest in rows.values_list("pk", "slug", "digest")}
    entries = told(ids, base(), snapshot)
    changed = touched_since_baseline([pk for pk, (_, digest) in before.items() if not digest])
    for pk, entry in entries.items():
        _, digest = before.pop(pk, ("", None))
        if digest is None:
            yield Difference(pk, entry.slug, entry.digest, None, Event.PUBLISHED)
        elif digest == "":
            yield Difference(pk, entry.slug, entry.digest, "", Event.CHANGED if pk in changed else None)
        elif digest != entry.digest:
            yield Difference(pk, entry.slug, entry.digest, digest, Event.CHANGED)
    for pk, (slug, digest) in before.items():
        yield Difference(pk, slug, "", digest, Event.UNPUBLISHED)


def touched_since_baseline(ids: list[int]) -> set[int]:
    """Return which of the portfolios were changed since the baseline was begun, by what they say themselves."""
    since = Telling.objects.aggregate(since=Min("since"))["since"] if ids else None
    if since is None:
        return set()
    return set(Portfolio.objects.filter(pk__in=ids, shown_at__gt=since).order_by().values_list("pk", flat=True))


@transaction.atomic
def note(found: list[Difference]) -> int:
    """Write down what differs as told, and for each webhook as to be told; return how much of it that was."""
    now = timezone.now()
    webhooks = locked()
    if not webhooks:
        return 0
    # Someone else may have compared meanwhile, and have told some of it.
    present = ToldPortfolio.objects.in_bulk([each.id for each in found])
    found = [each for each in found if (present[each.id].digest if each.id in present else None) == each.before]
    ToldPortfolio.objects.bulk_create(
        [ToldPortfolio(each.id, each.slug, each.digest) for each in found if each.digest],
        update_conflicts=True,
        unique_fields=["portfolio_id"],
        update_fields=["slug", "digest"],
        batch_size=PORTION,
    )
    gone = [each.id for each in found if not each.digest]
    for start in range(0, len(gone), PORTION):
        ToldPortfolio.objects.filter(pk__in=gone[start : start + PORTION]).delete()
    news = {each.id: (each.slug, each.event) for each in found if each.event is not None}
    for webhook in webhooks if news else ():
        gather_for(webhook, news)
        put_together(webhook, now)
    return len(news)
