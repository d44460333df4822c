"""Plain functions that make valid rows; whatever a test cares about it passes in."""

from collections.abc import Iterable
from io import BytesIO
from itertools import count
from typing import Any

from django.contrib.auth.models import Permission, User
from django.core.files.base import ContentFile
from django.db import connection
from PIL import Image

from folio.access.codes import CODES
from folio.access.models import Token
from folio.media.models import Media
from folio.media.uploads import store_upload
from folio.portfolios.models import (
    Employer,
    Link,
    MetaEntry,
    Portfolio,
    PortfolioImage,
    PortfolioTag,
    Tag,
)

# Most tests begin with someone who may do everything: in one statement, without all that `set` asks about the past.
GRANT = """
INSERT INTO auth_user_user_permissions (user_id, permission_id)
SELECT %s, permission.id FROM auth_permission permission
JOIN django_content_type content_type ON content_type.id = permission.content_type_id
WHERE content_type.app_label || '.' || permission.codename IN ({})
"""

numbers = count(1)


def make_user(username: str = "", *, codes: Iterable[int] = (), **fields: Any) -> User:
    """Make a user who holds the permissions behind `codes`; a stranger unless `is_staff` or `is_superuser`."""
    user = User.objects.create_user(username or f"user{next(numbers)}", **fields)
    names = sorted({CODES[code].permission for code in codes})
    if names:
        with connection.cursor() as cursor:
            cursor.execute(GRANT.format(", ".join(["%s"] * len(names))), [user.pk, *names])
    return user


def permissions(*paths: str) -> list[Permission]:
    """Return permissions, named as `app.codename`."""
    return [
        Permission.objects.get(content_type__app_label=app, codename=codename)
        for app, codename in (path.split(".") for path in paths)
    ]


def make_key(user: User, **fields: Any) -> str:
    """Make a token of the user and return its key."""
    key: str = Token.objects.issue(user, **{"name": "test", **fields})[1]
    return key


def draw(size: tuple[int, int] = (40, 30), format: str = "PNG", mode: str = "RGB", color: Any = None) -> bytes:
    """Draw a plain picture and return its file's bytes."""
    file = BytesIO()
    Image.new(mode, size, color if color is not None else (200, 80, 40)).save(file, format)
    return file.getvalue()


def make_image(name: str = "picture.png", **fields: Any) -> Media:
    """Store a drawn picture with its thumbnails, through the door that uploads come by."""
    return store_upload(ContentFile(draw(), name=name), **fields)


def make_media(**fields: Any) -> Media:
    """Make a media's row alone, for tests that never open its file."""
    number = next(numbers)
    given = {
        "file": f"core_media/2026/03/02/row{number}.png",
        "type": "image",
        "mime_type": "image/png",
        "name": f"row{number}.png",
        "size": 1024,
        "width": 40,
        "height": 30,
        "mode": "RGB",
        **fields,
    }
    if given["type"] != "image":
        given = {**given, "width": None, "height": None, "mode": None, **fields}
    return Media.objects.create(**given)


def make_employer(**fields: Any) -> Employer:
    return Employer.objects.create(**{"name": f"Employer {next(numbers)}", **fields})


def make_tag(**fields: Any) -> Tag:
    return Tag.objects.create(**{"name": f"tag {next(numbers)}", **fields})


def make_portfolio(*, images: Iterable[Media] = (), tags: Iterable[Tag] = (), **fields: Any) -> Portfolio:
    number = next(numbers)
    given = {"title": f"Title {number}", "slug": f"slug-{number}", "excerpt": "An excerpt.", **fields}
    portfolio = Portfolio.objects.create(**given)
    for place, media in enumerate(images):
        PortfolioImage.objects.create(portfolio=portfolio, media=media, place=place)
    for place, tag in enumerate(tags):
        PortfolioTag.objects.create(portfolio=portfolio, tag=tag, place=place)
    return portfolio


def make_link(portfolio: Portfolio, **fields: Any) -> Link:
    return Link.objects.create(portfolio=portfolio, **{"name": "site", "url": "https://example.com", **fields})


def make_meta(portfolio: Portfolio, **fields: Any) -> MetaEntry:
    return MetaEntry.objects.create(portfolio=portfolio, **{"key": f"key{next(numbers)}", "value_text": "v", **fields})
