"""Static files under names that tell their content, compressed ahead: docs/decisions/0028-weight-of-pages.md.

`folio serve` makes them before it serves, in the data folder, where they are not there yet. Everything else (tests,
debug mode, other commands) goes on with the plain names, which are always served too.
"""

import gzip
import json
import os
import shutil
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from fnmatch import fnmatchcase
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any

import brotli
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage, staticfiles_storage
from django.core.files.base import ContentFile
from django.templatetags.static import static

FORM = "1"  # of what is made here: a new one makes all files anew
# What no page of Folio loads; under their plain names they are served all the same.
LEFT_OUT = (
    "*.map",
    "*.LICENSE",
    "*/LICENSE*",
    "*.txt",
    "admin/js/vendor/jquery/jquery.js",
    "admin/js/vendor/select2/i18n/*",
    "admin/js/vendor/xregexp/*",
    "drf_spectacular_sidecar/redoc/*",
    "rest_framework/*",
    "unfold/fonts/*",
    "unfold/forms/*",
    "unfold/js/chart/*",
)
# What every page loads is one file each where it can be: on a slow line each request costs a turn. In this order.
STYLES = "folio/admin/fonts/site.css"  # beside the fonts, which are the only files that these styles name
SCRIPTS = "folio/admin/site.js"
BUNDLES = {
    STYLES: ["folio/admin/fonts/fonts.css", "folio/admin/admin.css", "unfold/css/styles.css"],
    SCRIPTS: [
        "folio/admin/head.js",
        "unfold/js/app.js",
        "folio/admin/alpine.js",
        "folio/admin/names.js",
        "folio/admin/moments.js",
        "folio/admin/vendor/alpine-csp.min.js",  # the last one: it starts at once
    ],
}
COMPRESSED = {".css", ".js", ".svg", ".json"}
BROTLI_QUALITY = 9  # 11 leaves a tenth less and takes ten times as long
KEPT_MANIFESTS = 3  # of how many versions, besides the one in use, open pages still find their files
KEPT_FOR = timedelta(days=30).total_seconds()
SETTLED = timedelta(days=1).total_seconds()  # after which nobody who makes files still counts on one without a manifest

DJANGOS: Any = ManifestStaticFilesStorage

Sources = dict[str, Any]  # the storage of each file by its name


class HashedStorage(ManifestStaticFilesStorage):
    """Gives a file the name that the manifest of just these sources has for it, and its plain name without one."""

    support_js_module_import_aggregation = True
    _js_module_import_aggregation_patterns = (
        "folio/*.js",  # no other has modules
        DJANGOS._js_module_import_aggregation_patterns[1],
    )
    patterns = (DJANGOS.patterns[0],)  # of styles: what a source map is called matters to none
    keep_intermediate_files = False

    @cached_property
    def manifest(self) -> Path:
        return manifest_of(fingerprint(sources()))

    def read_manifest(self) -> Any:
        if self.location != str(files_folder()) or settings.DEBUG:
            return None
        try:
            return self.manifest.read_text()
        except OSError:
            return None

    def save_manifest(self) -> None:
        """Leave the manifest to `make()`, which writes it last."""

    def hashed_name(self, name: str, content: Any = None, filename: str | None = None) -> str:
        """Return a file's name with its hash; what isn't there, such as a source map, keeps its name."""
        try:
            return super().hashed_name(name, content, filename)
        except ValueError:
            return name

    def stored_name(self, name: str) -> str:
        return self.hashed_files.get(self.hash_key(self.clean_name(name)), name)


def urls(bundle: str) -> list[str]:
    """Return where a bundle is, or else its parts."""
    made = getattr(staticfiles_storage, "hashed_files", {})
    return [static(name) for name in ([bundle] if bundle in made and not settings.DEBUG else BUNDLES[bundle])]


def files_folder() -> Path:
    return Path(settings.STATIC_ROOT)


def manifest_of(mark: str) -> Path:
    return files_folder().parent / f"manifest-{mark}.json"


def sources() -> Sources:
    """Return the storage of every file that pages may load; of one name the first finder's, as Django has it."""
    found: Sources = {}
    for finder in get_finders():
        for name, storage in finder.list([]):
            name = name.replace(os.sep, "/")
            if not any(fnmatchcase(name, pattern) for pattern in LEFT_OUT):
                found.setdefault(name, storage)
    return found


def fingerprint(found: Sources) -> str:
    """Return a digest of all files: by content, as times of files in an image are often all the same."""
    digest = blake2b(FORM.encode(), digest_size=12)
    for name in sorted(found):
        content = Path(found[name].path(name)).read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def make() -> bool:
    """Make the files that this version needs, unless they are there, and tell whether they had to be made.

    They are made aside and then moved in, the manifest last: who reads it finds every file. Servers that start at the
    same time both make the same files, and each replaces what the other has by the same.
    """
    found = sources()
    manifest = manifest_of(fingerprint(found))
    if manifest.exists():
        manifest.touch()
        return False
    folder = files_folder()
    folder.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix="making-", dir=folder.parent))
    try:
        (aside / "files").mkdir()
        paths = write_hashed(found, aside / "files")
        for path in files_in(aside / "files"):
            target = folder / path.relative_to(aside / "files")
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)
        draft = aside / "manifest.json"
        draft.write_text(json.dumps({"version": HashedStorage.manifest_version, "paths": paths, "hash": ""}))
        draft.replace(manifest)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    clean_up()
    return True


def write_hashed(found: Sources, folder: Path) -> dict[str, str]:
    """Write every file under its new name, and compressed; return the names by the old ones."""
    storage = HashedStorage(location=str(folder))
    for _name, _new, problem in storage.post_process({name: (found[name], name) for name in found}):
        if isinstance(problem, Exception):
            raise problem
    names: dict[str, str] = storage.hashed_files
    for bundle, parts in BUNDLES.items():
        content = b"\n".join((folder / names[part]).read_bytes() for part in parts)
        names[bundle] = storage.hashed_name(bundle, ContentFile(content))
        (folder / names[bundle]).write_bytes(content)
    used = {folder / name for name in names.values()}
    for path in files_in(folder):
        if path not in used:
            path.unlink()  # from before the names within it were known
    with ThreadPoolExecutor() as pool:  # neither holds Python's lock
        list(pool.map(compress, (path for path in used if path.suffix in COMPRESSED)))
    return names


def compress(path: Path) -> None:
    """Write a file's compressed forms beside it, those that are smaller enough to be worth it."""
    content = path.read_bytes()
    forms = {
        ".br": brotli.compress(content, quality=BROTLI_QUALITY),
        ".gz": gzip.compress(content, compresslevel=9, mtime=0),
    }
    for suffix, compressed in forms.items():
        if len(compressed) < 0.95 * len(content):
            path.with_name(path.name + suffix).write_bytes(compressed)


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def clean_up() -> None:
    """Remove the files of versions that no open page can be of any more; another server may be doing the same."""
    folder, now = files_folder(), time.time()
    ages = sorted((now - modified(path), path) for path in folder.parent.glob("manifest-*.json"))
    kept: set[str] = set()
    for place, (age, path) in enumerate(ages):
        if place <= KEPT_MANIFESTS and age < KEPT_FOR:
            kept.update(paths_of(path).values())
        else:
            path.unlink(missing_ok=True)
    for path in files_in(folder):
        name = path.relative_to(folder).as_posix()
        if not {name, name[:-3]} & kept and now - modified(path) > SETTLED:
            path.unlink(missing_ok=True)
    for path in folder.parent.glob("making-*"):
        if now - modified(path) > SETTLED:
            shutil.rmtree(path, ignore_errors=True)


def paths_of(manifest: Path) -> dict[str, str]:
    """Return the names of a version's files, by their plain ones."""
    with suppress(FileNotFoundError):
        return dict(json.loads(manifest.read_text())["paths"])
    return {}


def modified(path: Path) -> float:
    """Return when a file was written, or, where it is gone, that it is new: nothing is to be done about it."""
    with suppress(FileNotFoundError):
        return path.stat().st_mtime
    return time.time()
