"""The media library as those who work in the admin site use it."""

from pathlib import Path

from django.core.files.uploadedfile import SimpleUploadedFile

from folio.media.models import Media
from tests.factories import make_employer, make_link, make_meta, make_portfolio

LIST = "/admin/media/media/"
ADD = f"{LIST}add/"


def upload(content: bytes, name: str = "crane.png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def use(media: Media, how: str) -> None:
    portfolio = make_portfolio(title="The portfolio", image=media if how == "cover" else None)
    if how == "gallery":
        make_portfolio(title="The user of it", images=[media])
    elif how == "employer":
        make_employer(name="The user of it", image=media)
    elif how == "link":
        make_link(portfolio, name="The user of it", image=media)
    elif how == "meta":
        make_meta(portfolio, key="The user of it", value_file=media)
