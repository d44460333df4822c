"""What a ZIP holds, and so is: a document, a designer's file, an application, or an archive."""

from __future__ import annotations  # File[bytes] means something to type checkers only

import re
from collections.abc import Callable

from django.core.files import File
from django.utils.translation import gettext as _

from ..kinds import KIND_BY_MIME_TYPE, OPEN_DOCUMENT, OPEN_XML, FileKind
from ..naming import extension_of
from .archives import Archive, is_zip
from .designs import KIND_OF_DESIGN
from .office import open_document, open_xml
from .refusing import refuse

ZIP = KIND_BY_MIME_TYPE["application/zip"]

# What only applications hold, and extensions to them: of Java, Android, iOS, Windows, browsers, editors, Python.
APPLICATIONS = re.compile(
    r"meta-inf/manifest\.mf|meta-inf/(?:air/)?application\.xml|web-inf/.*"
    r"|(?:base/manifest/)?androidmanifest\.xml|classes\.dex|bundleconfig\.pb|payload/[^/]+\.app/.*"
    r"|appxmanifest\.xml|appxmetadata/appxbundlemanifest\.xml|appmanifest\.xaml"
    r"|install\.rdf|extension\.vsixmanifest|__main__\.py"
)
WEB_EXTENSION = re.compile(rb'"manifest_version"\s*:')  # in the `manifest.json` of browsers' extensions


def zipped(file: File[bytes], name: str) -> FileKind | None:
    """Return what a ZIP is by what it holds, None of another file; or raise UploadRefused for an application."""
    return within(file, name) if is_zip(file) else None


def within(file: File[bytes], name: str) -> FileKind:
    """Return what a ZIP is by what it holds, whatever stands before it; or raise UploadRefused for an application."""
    archive = Archive(file)
    refuse_application(archive)
    return open_document(archive) or open_xml(archive) or zipped_design(archive, extension_of(name)) or ZIP


def is_packed(kind: FileKind) -> bool:
    """Tell whether files of a kind are ZIPs."""
    mime_type = kind.mime_type
    return mime_type == ZIP.mime_type or mime_type.endswith("+zip") or mime_type.startswith((OPEN_XML, OPEN_DOCUMENT))


def refuse_application(archive: Archive) -> None:
    entry = next((name for name in archive.names if APPLICATIONS.fullmatch(name.lower())), None)
    if entry is None and WEB_EXTENSION.search(archive.read("manifest.json")):
        entry = "manifest.json"
    if entry is not None:
        refuse(
            _(
                "The archive is an application or extends one, as its %(entry)s tells, and programs are not accepted. "
                "Accepted are: %(accepted)s."
            ),
            entry=entry[:100],
        )


def zipped_design(archive: Archive, extension: str) -> FileKind | None:
    """Return the kind of a designer's file that an archive is named as, where it holds what such a file does."""
    fits = HOLDS.get(extension)
    return KIND_OF_DESIGN[extension] if fits is not None and fits(archive) else None


def holds(*patterns: str) -> Callable[[Archive], bool]:
    return lambda archive: any(re.fullmatch(pattern, name) for pattern in patterns for name in archive.lowered)


def begins_with_scene(archive: Archive) -> bool:
    return bool(archive.names) and archive.names[0].lower().endswith((".usd", ".usda", ".usdc"))


def any_archive(archive: Archive) -> bool:
    """Let a format be whose maker describes it nowhere, and which has changed with his programs."""
    return bool(archive.names)


HOLDS: dict[str, Callable[[Archive], bool]] = {
    "sketch": holds("document.json", "meta.json"),
    "usdz": begins_with_scene,
    "3mf": holds(r"3d/.+\.model"),
    "lottie": holds("manifest.json", r"(?:a|animations)/.+\.json"),
    "key": any_archive,
    "pages": any_archive,
    "numbers": any_archive,
    "xd": any_archive,
    "fig": any_archive,
    "procreate": any_archive,
}
