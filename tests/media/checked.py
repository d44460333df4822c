"""Media that `folio checkmedia` looks at, and what it says of them."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command

from folio.media.models import Media, Thumbnail
from folio.media.uploads import store_upload
from tests.factories import draw


def make_large(name: str = "large.jpg") -> Media:
    """Store an image that is larger than every box."""
    return store_upload(ContentFile(draw((1500, 1000), "JPEG"), name=name))


def checkmedia(*arguments: str) -> str:
    """Run the command where all is well in the end; return what it printed."""
    stdout = StringIO()
    call_command("checkmedia", *arguments, stdout=stdout, no_color=True)
    return stdout.getvalue()


def checkmedia_fails(*arguments: str) -> tuple[str, str]:
    """Run the command where something is wrong in the end; return what it printed, and its last word."""
    stdout = StringIO()
    with pytest.raises(CommandError) as caught:
        call_command("checkmedia", *arguments, stdout=stdout, no_color=True)
    assert caught.value.returncode == 1
    return stdout.getvalue(), str(caught.value)


def path_of(row: Media | Thumbnail) -> Path:
    return Path(row.file.path)


def stored_files(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def assert_all_is_well(root: Path) -> None:
    assert "nothing is wrong" in checkmedia()
    names = {
        str(name) for model in (Media, Thumbnail) for name in model._default_manager.values_list("file", flat=True)
    }
    assert stored_files(root) == names
