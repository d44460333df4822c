"""Static files: named by their content, compressed ahead, kept while a page may ask for them."""

import gzip
import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import brotli
import pytest
from django.core.files.storage import FileSystemStorage
from django.http import HttpResponse
from django.test import RequestFactory, override_settings
from whitenoise.middleware import WhiteNoiseMiddleware

from folio.admin import assets
from folio.server.management.commands.serve import Command

DAY = 86_400
IMPORT = re.compile(r"""(?:from|import)\s*\(?["'](\.[^"']+)["']""")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The files of Folio itself, as a server makes them."""
    with override_settings(STATIC_ROOT=tmp_path_factory.mktemp("made") / "static" / "files"):
        assert assets.make()
        yield assets.files_folder()


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of sources with a style and a script, in place of all of Folio's; what is made of it lies beside."""
    sources = tmp_path / "sources"
    sources.mkdir()
    (sources / "page.css").write_text("p { color: red; }\n" * 100)
    (sources / "page.js").write_text("let a = 1;\n" * 100)
    storage = FileSystemStorage(location=str(sources))
    monkeypatch.setattr(assets, "sources", lambda: {path.name: storage for path in sources.iterdir() if path.is_file()})
    monkeypatch.setattr(assets, "BUNDLES", {"all.js": ["page.js"]})
    with override_settings(STATIC_ROOT=tmp_path / "static" / "files"):
        yield sources


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in assets.files_in(folder)}


def age(folder: Path, days: float) -> None:
    """Make everything in a folder so many days older."""
    for path in folder.rglob("*"):
        seconds = path.stat().st_mtime - days * DAY
        os.utime(path, (seconds, seconds))


def ask(name: str, **headers: str) -> Any:
    with override_settings(WHITENOISE_AUTOREFRESH=False):
        middleware = WhiteNoiseMiddleware(lambda request: HttpResponse(status=404))
        with closing(middleware(RequestFactory().get(f"/static/{name}", headers=headers))) as response:
            return response


def test_names_every_file_by_its_content_and_compresses_it(made: Path) -> None:
    storage = assets.HashedStorage()
    name = storage.hashed_files["unfold/css/styles.css"]
    whole = (made / name).read_bytes()

    assert re.fullmatch(r"unfold/css/styles\.[0-9a-f]{12}\.css", name)
    assert storage.url("unfold/css/styles.css") == f"/static/{name}"
    assert brotli.decompress((made / f"{name}.br").read_bytes()) == whole
    assert gzip.decompress((made / f"{name}.gz").read_bytes()) == whole


def test_compresses_nothing_that_is_compressed_already(made: Path) -> None:
    assert not [name for name in names(made) if re.search(r"\.(woff2|png)\.(br|gz)$", name)]


def test_modules_and_styles_name_each_other_by_the_new_names(made: Path) -> None:
    modules = [path for path in (made / "folio").rglob("*.js") if "vendor" not in path.parts]
    imports = [(path, name) for path in modules for name in IMPORT.findall(path.read_text())]

    assert len(imports) > 10
    for path, name in imports:
        assert re.search(r"\.[0-9a-f]{12}\.js$", name), f"{path.name} imports {name}"
        assert (path.parent / name).resolve().is_file()
    for path in (made / "folio").rglob("*.css"):
        for name in re.findall(r'url\("?([^")]+)"?\)', path.read_text()):
            assert name.startswith("data:") or (path.parent / name).resolve().is_file(), f"{path.name}: {name}"


def test_makes_one_file_of_what_every_page_loads(made: Path) -> None:
    storage = assets.HashedStorage()
    for bundle, parts in assets.BUNDLES.items():
        content = (made / storage.hashed_files[bundle]).read_text()
        assert all((made / storage.hashed_files[part]).read_text() in content for part in parts)


def test_styles_that_become_one_file_name_only_what_lies_beside_it(made: Path) -> None:
    content = (made / assets.HashedStorage().hashed_files[assets.STYLES]).read_text()

    named = set(re.findall(r"url\(([^)]*)\)", content))

    assert named
    assert all(re.fullmatch(r'"[\w.-]+\.woff2"', name) for name in named), named


def test_serves_them_compressed_and_to_be_kept_for_good(made: Path, db: None) -> None:
    name = assets.HashedStorage().hashed_files["folio/admin/page.js"]

    response = ask(name, accept_encoding="gzip, br")

    assert response.status_code == 200
    assert response["Content-Encoding"] == "br"
    assert "immutable" in response["Cache-Control"]
    assert int(response["Cache-Control"].split("max-age=")[1].split(",")[0]) >= 365 * DAY
    assert "Content-Encoding" not in ask(name)
    assert ask(name, accept_encoding="gzip")["Content-Encoding"] == "gzip"


def test_goes_on_serving_the_plain_names_for_a_short_time_only(made: Path, db: None) -> None:
    response = ask("folio/admin/page.js")

    assert response.status_code == 200
    assert response["Cache-Control"] == "max-age=60, public"


def test_makes_them_once_for_each_version(small: Path) -> None:
    assert assets.make()
    assert not assets.make()

    (small / "page.css").write_text("p { color: blue; }")

    assert assets.make()


def test_a_change_of_the_same_size_and_time_is_another_version(small: Path) -> None:
    assets.make()
    script = small / "page.js"
    before = script.stat()

    script.write_text(script.read_text().replace("1", "2"))
    os.utime(script, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert assets.make()


def test_an_open_page_of_an_older_version_still_finds_its_files(small: Path, db: None) -> None:
    assets.make()
    old = assets.HashedStorage().hashed_files["page.js"]
    (small / "page.js").write_text("let a = 2;")
    age(assets.files_folder().parent, 3)

    assets.make()

    assert assets.HashedStorage().hashed_files["page.js"] != old
    response = ask(old)
    assert response.status_code == 200
    assert "immutable" in response["Cache-Control"]


def test_what_no_open_page_can_be_of_is_removed(small: Path) -> None:
    assets.make()
    old = names(assets.files_folder())
    (small / "page.js").write_text("let a = 2;")
    (small / "page.css").write_text("p { color: blue; }")
    age(assets.files_folder().parent, 31)
    left = assets.files_folder().parent / "making-left"
    left.mkdir()
    age(assets.files_folder().parent, 2)

    assets.make()

    assert not old & names(assets.files_folder())
    assert not left.exists()
    assert len(list(assets.files_folder().parent.glob("manifest-*.json"))) == 1


def test_servers_that_start_at_once_leave_a_whole_set(small: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: assets.make(), range(4)))

    storage = assets.HashedStorage()
    assert set(storage.hashed_files) == {"page.css", "page.js", "all.js"}
    assert all((assets.files_folder() / name).is_file() for name in storage.hashed_files.values())
    assert not list(assets.files_folder().parent.glob("making-*"))


def test_a_server_that_breaks_off_leaves_nothing_that_is_used(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: Path) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(assets, "compress", fail)

    with pytest.raises(OSError, match="No space"):
        assets.make()

    assert not list(assets.files_folder().parent.glob("m*"))
    assert assets.HashedStorage().url("page.js") == "/static/page.js"


def test_a_server_makes_them_before_it_serves(small: Path) -> None:
    Command().make_static_files()

    assert assets.HashedStorage().url("page.js") != "/static/page.js"


def test_where_they_can_t_be_made_the_server_says_so_and_serves_plain_ones(
    small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "static").write_text("a file in the folder's place")

    Command().make_static_files()

    assert "served uncompressed" in capsys.readouterr().err
    assert assets.HashedStorage().url("page.js") == "/static/page.js"


def test_without_them_and_in_debug_mode_names_are_plain(small: Path) -> None:
    assert assets.HashedStorage().url("page.css") == "/static/page.css"
    assets.make()
    assert assets.HashedStorage().url("page.css") != "/static/page.css"
    assert assets.HashedStorage().url("forgotten.css") == "/static/forgotten.css"
    with override_settings(DEBUG=True):
        assert assets.HashedStorage().url("page.css") == "/static/page.css"
        assert assets.urls("all.js") == ["/static/page.js"]
