"""Folders of projects, and what is in the database, for the tests of import and export."""

from io import StringIO
from pathlib import Path
from typing import Any

from django.core.management import CommandError, call_command

from folio.media.models import Media, Thumbnail
from folio.portfolios.models import Employer, Link, MetaEntry, Portfolio, PortfolioImage, PortfolioTag, Tag

MODELS = (Portfolio, Employer, Tag, Media, Thumbnail, PortfolioImage, PortfolioTag, Link, MetaEntry)


def put(folder: Path, files: dict[str, str | bytes]) -> Path:
    """Write files by their paths below a folder; of a text, the first line break is left out."""
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.removeprefix("\n").encode())
    return folder


def project(fields: str = "", text: str = "", **given: str) -> str:
    """Return the Markdown file of a project with what is required, other fields, and a text."""
    required = {"title": "Harbour", "excerpt": "Boats.", **given}
    lines = [f"{name}: {value}" for name, value in required.items()]
    return "\n".join(["---", *lines, *([fields.strip()] if fields else []), "---", text])


def run(command: str, folder: Path, *arguments: str, **options: Any) -> tuple[str, str, str]:
    """Run a command; return its output, its errors, and how it failed."""
    output, errors, failure = StringIO(), StringIO(), ""
    try:
        call_command(command, str(folder), *arguments, stdout=output, stderr=errors, **options)
    except CommandError as error:
        failure = str(error)
    return output.getvalue(), errors.getvalue(), failure


def imported(folder: Path, *arguments: str, **options: Any) -> str:
    """Import a folder in which nothing is wrong; return what the command says."""
    output, errors, failure = run("import", folder, *arguments, **options)
    assert (errors, failure) == ("", "")
    return output


def exported(folder: Path, *arguments: str) -> str:
    """Export everything without a failure; return what the command says."""
    output, errors, failure = run("export", folder, *arguments)
    assert (errors, failure) == ("", "")
    return output


def row_counts() -> list[int]:
    return [model._default_manager.count() for model in MODELS]


def files_below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def contents_below(folder: Path) -> dict[str, bytes]:
    return {path: (folder / path).read_bytes() for path in files_below(folder)}
