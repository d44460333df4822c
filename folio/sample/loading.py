"""The sample brought into an empty installation."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.utils.text import get_text_list

from folio.media.models import Media
from folio.portfolios.models import Employer, Link, MetaEntry, Portfolio, Tag
from folio.transfer.folders import open_root
from folio.transfer.importing import Importer

from .formats import in_formats

CONTENT = Path(__file__).parent / "content"
COUNTED = {
    "portfolios": Portfolio,
    "employers": Employer,
    "tags": Tag,
    "links": Link,
    "meta": MetaEntry,
    "media": Media,
}


class InstallationNotEmpty(Exception):
    """An installation that holds content; the message says which."""


def load_sample(tell: Callable[[str], Any] = lambda message: None) -> dict[str, int]:
    """Fill an empty installation, all or nothing; return how many rows of each kind were made.

    `tell` is told what happens next. Raises InstallationNotEmpty where there is any portfolio, employer, tag or media.
    """
    refuse_content()
    tell("Importing the work of a design studio ...")
    with TemporaryDirectory() as scratch:
        in_formats(CONTENT, Path(scratch))
        with open_root(Path(scratch)) as root:
            Importer(root).run_at_once(refuse_content)
    return {name: model._default_manager.count() for name, model in COUNTED.items()}


def refuse_content() -> None:
    kinds = {"portfolios": Portfolio, "employers": Employer, "tags": Tag, "media": Media}
    held = [name for name, model in kinds.items() if model._default_manager.exists()]
    if held:
        raise InstallationNotEmpty(
            f"This installation holds {get_text_list(held, 'and')} already; the sample is for an empty one. "
            "Name another folder or database by FOLIO_DATA_DIR or DATABASE_URL, or delete what there is."
        )
