"""The data that is measured on, the same in every run.

`python -m benchmarks.data PORTFOLIOS [IMAGES] [--plain]` fills an empty database, and prints the key of an admin. The
images' files do not exist: no read opens them.
"""

import random
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any
from unittest.mock import patch

IMAGES = 2_000  # that the portfolios show, and that there are unless more are asked for
TAGS = 4  # on each portfolio; each has an image, as have the cover, the employer and, unless plain, the two links
BATCH = 5_000  # rows
SEED = 20_260_101
PLAIN = "--plain"
# Words that few excerpts have: one in so many, beginning with the first that has all of them.
RARE = {"amaranth": 100, "quartzite": 200, "xylophone": 400}
HALF = "sandstone"  # every second excerpt has it
START = datetime(2020, 1, 1, tzinfo=UTC)
DAYS = 2_000  # that the portfolios' dates are spread over
BOXES = (64, 128, 512, 1080)
WORDS = """annual archive atlas bakery brand bridge campaign catalogue ceramics chapel concert dock exhibition façade
fair garden glass harbour hotel identity journal kiosk lamp library light map mill museum night opera orchard package
paper park pavilion poster press quay radio river school signage station stone studio theatre tower tram type village
vineyard walk website window wood workshop yard""".split()  # noqa: SIM905 a list of sixty literals reads worse


def fill(portfolios: int, images: int = IMAGES, *, plain: bool = False) -> str:
    """Make the portfolios with all that belongs to them, and an admin; return the admin's key.

    In a `plain` content the links have no images; all else is the same.
    """
    from django.contrib.auth.models import User
    from django.db import transaction

    from folio.access.models import Token
    from folio.portfolios.models import Employer, Link, Tag

    chance = random.Random(SEED)
    employers = max(10, portfolios // 100)
    tags = max(10, min(200, portfolios // 50))
    with transaction.atomic(), given_dates():
        insert_images(images)
        Employer.objects.bulk_create(
            Employer(pk=pk, name=f"{words(chance, 2)} {pk}", description=words(chance, 12), image_id=image(chance))
            for pk in range(1, employers + 1)
        )
        Tag.objects.bulk_create(
            Tag(pk=pk, name=f"{words(chance, 1)} {pk}", image_id=image(chance)) for pk in range(1, tags + 1)
        )
        insert_portfolios(chance, portfolios, employers, tags)
        if plain:
            Link.objects.update(image=None)
        reset_sequences()
        admin = User.objects.create_superuser("bench")
        key: str = Token.objects.issue(admin, name="bench")[1]
    gather_statistics()  # by which folding finds the texts
    fold()
    gather_statistics()
    return key


def fold() -> None:
    """Do at once what a server's task does after so many rows were written past it."""
    from folio.portfolios.searching.due import fold_all

    fold_all()


def insert_images(count: int) -> None:
    from folio.media.models import Media, Thumbnail

    Media.objects.bulk_create(
        Media(
            pk=pk,
            file=f"core_media/2026/01/{pk % 28 + 1:02}/photograph-{pk}.jpg",
            type="image",
            mime_type="image/jpeg",
            name=f"photograph-{pk}.jpg",
            size=400_000 + 977 * pk,
            width=3000,
            height=2000,
            mode="RGB",
            created_at=START,
            updated_at=START,
        )
        for pk in range(1, count + 1)
    )
    Thumbnail.objects.bulk_create(
        Thumbnail(
            media_id=pk,
            size=box,
            file=f"core_media/2026/01/{pk % 28 + 1:02}/thumbnails/photograph-{pk}_thumbnail_{box}x{box}.jpg",
        )
        for pk in range(1, count + 1)
        for box in BOXES
    )


def insert_portfolios(chance: random.Random, count: int, employers: int, tags: int) -> None:
    from folio.portfolios.models import Link, MetaEntry, Portfolio, PortfolioImage, PortfolioTag

    ids = iter(range(1, count + 1))
    while batch := list(islice(ids, BATCH)):
        Portfolio.objects.bulk_create(portfolio(chance, pk, count, employers) for pk in batch)
        PortfolioTag.objects.bulk_create(
            PortfolioTag(portfolio_id=pk, tag_id=tag, place=place)
            for pk in batch
            for place, tag in enumerate(several(chance, tags))
        )
        Link.objects.bulk_create(
            Link(
                portfolio_id=pk,
                name=name,
                url=f"https://www.example.com/{name.lower()}/{pk}",
                image_id=image(chance),
                place=place,
            )
            for pk in batch
            for place, name in enumerate(("Website", "Press"))
        )
        PortfolioImage.objects.bulk_create(
            PortfolioImage(portfolio_id=pk, media_id=(pk + step) % IMAGES + 1, place=step)
            for pk in batch
            for step in range(2)
        )
        MetaEntry.objects.bulk_create(MetaEntry(portfolio_id=pk, key="area", value_text=f"{pk} m²") for pk in batch)


def portfolio(chance: random.Random, pk: int, count: int, employers: int) -> Any:
    """Return a row; later ones were created later, and updated or completed at any time."""
    from folio.portfolios.models import Portfolio

    created_at = START + timedelta(days=DAYS * pk / count, seconds=chance.random())
    return Portfolio(
        pk=pk,
        title=f"{words(chance, 3).capitalize()} {pk}",
        slug=f"{words(chance, 1)}-{pk}",
        excerpt=f"{words(chance, 16).capitalize()}{rare(pk)}.",
        description=chance.choice([None, "", *(words(chance, 60) for _ in range(4))]),
        image_id=image(chance) if chance.random() < 0.9 else None,
        order=chance.randrange(20),
        employer_id=some(chance, employers) if chance.random() < 0.9 else None,
        is_active=chance.random() < 0.9,
        completed_at=START + timedelta(days=chance.randrange(DAYS)) if chance.random() < 0.9 else None,
        created_at=created_at,
        updated_at=created_at + timedelta(seconds=chance.randrange(86_400 * 365)),
    )


def rare(pk: int) -> str:
    """Return the words of an excerpt that so many have, and no more."""
    return "".join(f" {word}" for word, each in {**RARE, HALF: 2}.items() if pk % each == 7 % each)


def words(chance: random.Random, count: int) -> str:
    return " ".join(chance.choices(WORDS, k=count))


def image(chance: random.Random) -> int:
    return chance.randrange(IMAGES) + 1


def some(chance: random.Random, count: int) -> int:
    """Return a number up to `count`; the small ones come far more often, as with tags and clients."""
    return int(chance.random() ** 3 * count) + 1


def several(chance: random.Random, count: int) -> list[int]:
    """Return a few different numbers up to `count`."""
    found: dict[int, None] = {}
    while len(found) < TAGS:
        found[some(chance, count)] = None
    return list(found)


@contextmanager
def given_dates() -> Iterator[None]:
    """Let rows keep the dates that they are made with, where the models would set the present."""
    from folio.media.models import Media
    from folio.portfolios.models import Portfolio

    with ExitStack() as stack:
        for model in (Media, Portfolio):
            stack.enter_context(patch.object(model._meta.get_field("created_at"), "auto_now_add", False))
            stack.enter_context(patch.object(model._meta.get_field("updated_at"), "auto_now", False))
        yield


def reset_sequences() -> None:
    """Let PostgreSQL's ids go on after those that were given."""
    from django.apps import apps
    from django.core.management.color import no_style
    from django.db import connection

    models = [model for label in ("media", "portfolios") for model in apps.get_app_config(label).get_models()]
    execute(connection.ops.sequence_reset_sql(no_style(), models))


def gather_statistics() -> None:
    """Do at once what PostgreSQL does by itself within minutes; SQLite does it never, and is left at that."""
    from django.db import connection

    if connection.vendor == "postgresql":
        execute(["VACUUM ANALYZE"])


def execute(statements: Iterable[str]) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def main() -> None:
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", interactive=False, verbosity=0)
    numbers = [int(argument) for argument in sys.argv[1:] if argument != PLAIN]
    print(fill(*numbers, plain=PLAIN in sys.argv))


if __name__ == "__main__":
    main()
