"""The guide's examples, done as they stand there."""

import re
from pathlib import Path

import pytest

from folio.portfolios.models import Employer, Portfolio
from tests.environment import ROOT
from tests.factories import draw

from .folders import exported, put, run

pytestmark = pytest.mark.django_db
GUIDE = (ROOT / "docs" / "guides" / "import.md").read_text()


def blocks(language: str) -> list[tuple[str, str]]:
    """Return the guide's blocks in a language, with what stands behind it."""
    return re.findall(rf"^```{language} ?(\S*)\n(.*?)^```$", GUIDE, flags=re.MULTILINE | re.DOTALL)


def files_of_tree() -> list[str]:
    """Return the paths of the files that the guide's first picture of a folder shows."""
    folder, found = "", []
    for line in blocks("text")[0][1].splitlines()[1:]:
        name = line.strip()
        if name.endswith("/"):
            folder = name
        else:
            found.append(folder + name)
    return found


def answers() -> list[list[str]]:
    """Return what each command of the guide prints, in their order."""
    lines = "".join(text for _, text in blocks("console"))
    return [part.splitlines()[1:] for part in re.split(r"^\$ ", lines, flags=re.MULTILINE)[1:]]


def said(command: str, folder: Path, *arguments: str) -> list[str]:
    output, errors, failure = run(command, folder, *arguments)
    return [*errors.splitlines(), *output.splitlines(), *([f"CommandError: {failure}"] if failure else [])]


def test_the_guides_examples_do_what_it_says(tmp_path: Path) -> None:
    work = tmp_path / "work"
    files = files_of_tree()
    texts = dict(blocks("markdown"))
    assert set(texts) == {name for name in files if name.endswith(".md")}
    pictures = [name for name in files if name.endswith(".png")]
    put(work, {name: draw(color=(place * 9, 80, 40)) for place, name in enumerate(pictures)})
    put(work, {**texts, "ten-chairs/catalogue.txt": "Ten chairs."})
    dry, made, failed, changed, out = answers()

    assert said("import", work, "--dry-run") == dry
    assert said("import", work) == made

    harbour, chairs = Portfolio.objects.order_by("pk")
    assert (harbour.slug, harbour.image.name) == ("harbour-museum", "01-home.png")
    assert [placed.media.name for placed in harbour.gallery.all()] == ["02-quay.png", "03-boats.png"]
    assert chairs.employer == Employer.objects.get(name="Harbour Museum", image__name="harbour.png")
    assert (chairs.images.count(), chairs.links.count(), chairs.meta.count(), chairs.tags.count()) == (0, 1, 3, 2)

    text = texts["ten-chairs/index.md"]
    put(work, {"ten-chairs/index.md": text.replace("2021-05-08", "in May")})
    assert said("import", work) == failed
    put(work, {"ten-chairs/index.md": text})
    put(work, {"harbour-museum/index.md": texts["harbour-museum/index.md"].replace("A site for", "The site of")})
    assert said("import", work) == changed
    assert exported(tmp_path / "backup").splitlines() == out
