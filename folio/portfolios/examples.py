"""The examples of the API's two reference pages, and one of a schedule, for its description."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from drf_spectacular.utils import OpenApiExample

from folio.media.documents import Image, Thumbnail
from folio.media.sizes import human_readable_size
from folio.media.thumbnails import BOXES

from .documents import Employer, Link, Portfolio, PortfolioRow, Tag

FOLDER = "http://localhost:8000/media/core_media/2026/03"


def image(pk: int, path: str, name: str, size: int, width: int, height: int, mode: str, thumbnail: int) -> Image:
    """Return an image at `path` in the month's folder, whose thumbnails' ids begin at `thumbnail`."""
    day, _, file = path.partition("/")
    stem, _, extension = file.rpartition(".")
    return Image(
        id=pk,
        type="image",
        name=name,
        size=size,
        human_readable_size=human_readable_size(size),
        f=f"{FOLDER}/{path}",
        width=width,
        height=height,
        mode=mode,
        thumbnails=[
            Thumbnail(
                id=thumbnail + number,
                f=f"{FOLDER}/{day}/thumbnails/{stem}_thumbnail_{box}x{box}.{extension}",
                size=box,
            )
            for number, box in enumerate(BOXES)
        ],
    )


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


COVER = image(88, "02/image_test_media_file_0.bmp", "test text", 73062, 156, 156, "RGB", 229)
PREVIEW = image(92, "03/preview.png", "asdf", 11740, 216, 263, "RGBA", 241)
EMPLOYER = Employer(id=1, name="digikala", image_data=COVER, description="some store")
ROW: dict[str, Any] = {
    "title": "Wordpress site",
    "slug": "wordpress-site",
    "excerpt": "a wordpress site built with elementor and great performance for product showcase",
    "order": 1,
    "image_data": COVER,
    "employer_data": EMPLOYER,
    "tags_data": [Tag(id=1, name="sites", image_data=PREVIEW), Tag(id=2, name="webs", image_data=COVER)],
    "links_data": [],
    "is_active": True,
    "completed_at": at("2024-12-12"),
}
WEB_DESIGN = PortfolioRow(
    id=148,
    title="web design",
    slug="web",
    excerpt=(
        "Sapiente veritatis ipsam ut ex minus nihil. Excepturi et beatae id repellendus dolor voluptatibus veniam aut "
        "nulla. Sed in illo explicabo nam."
    ),
    order=1,
    image_data=COVER,
    employer_data=EMPLOYER,
    tags_data=[],
    links_data=[
        Link(id=3, name="github", url="https://moeinsoft.com", image_data=None, description=""),
        Link(id=4, name="site_url", url="https://digikala.com", image_data=None, description="the website url"),
    ],
    is_active=True,
    completed_at=at("2026-03-03T17:26:28"),
    created_at=at("2026-03-03T17:26:52.642607"),
    updated_at=at("2026-03-03T17:26:52.642613"),
)

CREATE_REQUEST = {
    "title": "Wordpress site",
    "slug": "wordpress-site",
    "description": "this can be a long text describing the project",
    "excerpt": "a wordpress site built with elementor and great performance for product showcase",
    "image": 15,
    "images": [153, 155],
    "order": 1,
    "employer": 1,
    "tags": [1, 3],
    "is_active": True,
    "completed_at": "2024-12-12",
}
CREATE_RESPONSE: dict[str, Any] = msgspec.to_builtins(
    Portfolio(
        id=149,
        **ROW,
        created_at=at("2026-03-03T17:49:52.477954"),
        updated_at=at("2026-03-03T17:49:52.477961"),
        description="this can be a long text describing the project",
        images_data=[COVER],
        meta=[],
    )
)
LIST_RESPONSE: dict[str, Any] = {
    "count": 2,
    "next": None,
    "previous": None,
    "results": msgspec.to_builtins(
        [
            PortfolioRow(
                id=150,
                **ROW,
                created_at=at("2026-03-03T17:52:28.976376"),
                updated_at=at("2026-03-03T17:52:28.976382"),
            ),
            WEB_DESIGN,
        ]
    ),
}
EXAMPLES = {
    "create": [
        OpenApiExample("A new portfolio", CREATE_REQUEST, request_only=True),
        OpenApiExample("The new portfolio", CREATE_RESPONSE, response_only=True, status_codes=["201"]),
    ],
    "partial_update": [
        OpenApiExample(
            "Published for a month",
            {"publish_at": "2031-03-01T08:30:00+01:00", "unpublish_at": "2031-04-01"},
            request_only=True,
        ),
    ],
    "list": [OpenApiExample("A page of portfolios", LIST_RESPONSE, response_only=True, status_codes=["200"])],
}
