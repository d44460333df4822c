import json
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.db import OperationalError

from folio.media.models import Media
from folio.media.uploads import store_upload
from folio.portfolios.models import Portfolio
from folio.transfer import EXPORTED
from folio.transfer.exporting import Exporter
from tests.factories import draw, make_employer, make_image, make_portfolio, make_tag

from .folders import contents_below, exported, files_below, put, run

pytestmark = pytest.mark.django_db


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def test_writes_a_folder_for_each_project_in_the_order_of_their_making(out: Path) -> None:
    cover = make_image("quay.png", alt="The quay")
    make_portfolio(title="B", slug="b", excerpt="E", order=2, employer=make_employer(name="Museum"), image=cover)
    make_portfolio(title="A", slug="a", excerpt="E", order=1, tags=[make_tag(name="Print")], description="Text.")
    store_upload(ContentFile(draw(color=(1, 2, 3)), name="free.png"))

    output = exported(out)

    assert files_below(out) == [
        EXPORTED,
        "01-b/index.md",
        "01-b/quay.png",
        "02-a/index.md",
        "employers/Museum.md",
        "media/free.png",
        "media/index.md",
        "tags/Print.md",
    ]
    assert (out / "01-b/index.md").read_text() == (
        "---\ntitle: B\nslug: b\nformer_slugs: []\nexcerpt: E\norder: 2\nis_active: true\n"
        "publish_at: null\nunpublish_at: null\ncompleted_at: null\n"
        "employer: Museum\ntags: []\n"
        "cover: quay.png\nimages: []\ncaptions: {}\nlinks: []\nmeta: {}\n"
        "alt:\n  quay.png: The quay\nfocal: {}\n---\n"
    )
    assert (out / "02-a/index.md").read_text().endswith("\n---\n\nText.\n")
    assert output == (
        "Exported 2 projects, 1 employer, 1 tag, 2 media. Files written: 7, as they were: 0, removed: 0.\n"
    )


def test_writes_the_very_bytes_that_are_stored(out: Path) -> None:
    media = make_image("quay.png")

    exported(out)

    with media.file.open() as file:
        assert (out / "media/quay.png").read_bytes() == file.read()


def test_a_second_export_renews_and_removes_what_is_its_own(out: Path) -> None:
    gone = make_portfolio(title="Gone", slug="gone", image=make_image("gone.png"))
    kept = make_portfolio(title="Kept", slug="kept", image=make_image("kept.png"))
    exported(out)
    put(out, {"01-gone/mine.txt": "Mine.", "notes.txt": "Mine, too.", ".git/config": "x"})
    picture = out / "02-kept" / "kept.png"
    gone.delete()
    Portfolio.objects.filter(pk=kept.pk).update(title="Kept for good")

    output = exported(out)

    assert files_below(out) == [
        ".folio-export",
        ".git/config",
        "01-gone/mine.txt",
        "01-kept/index.md",
        "01-kept/kept.png",
        "media/gone.png",
        "media/index.md",
        "notes.txt",
    ]
    assert "title: Kept for good" in (out / "01-kept/index.md").read_text()
    assert not picture.exists()
    assert "Files written: 4, as they were: 0, removed: 4." in output


def test_leaves_files_as_they_were_that_are_the_same(out: Path) -> None:
    make_portfolio(image=make_image())
    exported(out)
    times = {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.name != EXPORTED and path.is_file()}

    output = exported(out)

    assert {path: path.stat().st_mtime_ns for path in times} == times
    assert "Files written: 0, as they were: 2, removed: 0." in output


def test_puts_right_what_was_changed_in_an_earlier_export(out: Path) -> None:
    make_portfolio(image=make_image())
    exported(out)
    before = contents_below(out)
    for path in before:
        if path != EXPORTED:
            put(out, {path: "changed"})

    exported(out)

    assert contents_below(out) == before


def test_refuses_a_folder_that_holds_something_else(out: Path) -> None:
    make_portfolio()
    put(out, {"notes.txt": "Mine."})

    _, _, failure = run("export", out)

    assert "This folder is not empty, and no earlier export." in failure
    assert files_below(out) == ["notes.txt"]
    exported(out, "--force")
    assert "notes.txt" in files_below(out)
    assert EXPORTED in files_below(out)


def test_makes_no_folder_where_the_database_cannot_be_read(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(exporter: Exporter) -> None:
        raise OperationalError("no such table")

    monkeypatch.setattr(Exporter, "read", read)

    with pytest.raises(OperationalError):
        run("export", out)

    assert not out.exists()


def test_refuses_a_file_in_the_folders_place(out: Path) -> None:
    out.write_text("Mine.")

    assert "This folder can't be used" in run("export", out)[2]
    assert out.read_text() == "Mine."


def test_tells_of_a_file_that_is_gone_and_goes_on(out: Path) -> None:
    lost = make_image("lost.png")
    make_portfolio(title="A", slug="a", image=lost)
    make_portfolio(title="B", slug="b", image=make_image("kept.png"))
    exported(out)
    lost.file.storage.delete(str(lost.file.name))
    (out / "01-a/lost.png").unlink()

    _, errors, failure = run("export", out)

    assert errors.startswith(f"01-a/index.md: The file of media {lost.pk} (")
    assert "Failed: 1" in failure
    assert "01-a/index.md" in json.loads((out / EXPORTED).read_text())
    assert (out / "02-b/kept.png").exists()


def test_goes_through_no_link(out: Path, tmp_path: Path) -> None:
    make_portfolio(title="A", slug="a", image=make_image("quay.png"))
    elsewhere = put(tmp_path / "elsewhere", {"index.md": "Mine.", "quay.png": "Mine."})
    exported(out)
    for name in ("index.md", "quay.png"):
        (out / "01-a" / name).unlink()
        (out / "01-a" / name).symlink_to(elsewhere / name)

    exported(out)

    assert contents_below(elsewhere) == {"index.md": b"Mine.", "quay.png": b"Mine."}
    assert not (out / "01-a/quay.png").is_symlink()
    for name in ("index.md", "quay.png"):
        (out / "01-a" / name).unlink()
    (out / "01-a").rmdir()
    (out / "01-a").symlink_to(elsewhere)
    _, errors, _ = run("export", out)
    assert "links are not followed" in errors
    assert contents_below(elsewhere) == {"index.md": b"Mine.", "quay.png": b"Mine."}


@pytest.mark.parametrize("record", ["no json", "{}", '["../victim", "/etc/passwd", "a/../../victim", "victim", 1]'])
def test_a_record_that_someone_else_wrote_removes_nothing_outside(out: Path, tmp_path: Path, record: str) -> None:
    put(tmp_path, {"victim": "Mine.", "out/victim": "Mine.", f"out/{EXPORTED}": record})

    exported(out)

    assert (tmp_path / "victim").exists()
    assert (out / "victim").exists()


def test_names_stay_short_and_apart_on_every_file_system(out: Path) -> None:
    names = ["Café", "café", "CAFE\u0301", "a/b", "a:b", "..", "con", "é" * 100, "é" * 100 + "!"]
    for name in names:
        make_employer(name=name)
    Media.objects.all().delete()

    exported(out)

    found = [path.name for path in (out / "employers").iterdir()]
    assert len({name.casefold() for name in found}) == len(names)
    assert max(len(name.encode()) for name in found) < 140
    assert "_con.md" in found
    assert not any(name.startswith(".") for name in found)
