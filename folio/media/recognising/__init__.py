"""What a file is by its content, where it is no readable image."""

from __future__ import annotations  # File[bytes] means something to type checkers only

from collections.abc import Callable

from django.core.files import File
from django.utils.translation import gettext as _

from ..errors import UploadRefused
from ..kinds import KIND_BY_MIME_TYPE, PICTURES, FileKind
from ..models import MediaType
from ..naming import extension_of
from ..refusals import DAMAGED
from ..unshown import unshown_kind
from .compounds import compound
from .designs import design
from .detecting import detect
from .refusing import refuse, refuse_type, refuse_unshown
from .texts import is_markup, named_text
from .tracks import behind_junk, film_or_sound
from .zips import is_packed, within, zipped

__all__ = ["detect", "named_text", "recognise"]

PDF_SIGNATURE = b"%PDF-"
HEIF_TYPES = ("image/heic", "image/heif")
SHOWN_TYPES = {"image/svg+xml", "image/vnd.microsoft.icon", "image/x-icon"}  # by browsers, though not accepted

# Asked in this order: each tells what a file is, nothing where it is for the next to tell, or raises UploadRefused.
QUESTIONS: tuple[Callable[[File[bytes], str], FileKind | None], ...] = (
    film_or_sound,
    named_text,
    design,
    zipped,
    compound,
)


def recognise(file: File[bytes], name: str) -> FileKind:
    """Return what a file that is no readable image is by its content, or raise UploadRefused.

    The name decides only between kinds of which the content could be either; one that claims a picture is held to it.
    """
    found = (ask(file, name) for ask in QUESTIONS)
    kind = next((kind for kind in found if kind is not None), None) or by_signature(file, name)
    refuse_false_picture(file, name, kind)
    return kind


def by_signature(file: File[bytes], name: str) -> FileKind:
    """Return the kind that libmagic knows the content of, or raise UploadRefused."""
    mime_type = detect(file)
    kind = KIND_BY_MIME_TYPE.get(mime_type) or behind_junk(file, name, mime_type)
    if unshown := unshown_kind(file):
        refuse_unshown(unshown)
    if (kind and kind.type == MediaType.IMAGE) or mime_type.startswith(HEIF_TYPES):
        raise UploadRefused(_(DAMAGED), code="damaged")
    is_text = mime_type in {"text/plain", "text/csv"}
    is_pdf = mime_type == "application/pdf"  # readers look for its signature some way in
    if (is_text and is_markup(file)) or (is_pdf and is_markup(file, PDF_SIGNATURE)):
        refuse(
            _(
                "The file looks like a web page or a script, which would run in a browser or on a server and is "
                "not accepted. Accepted are: %(accepted)s."
            )
        )
    if kind is None and mime_type.startswith("image/") and mime_type not in SHOWN_TYPES:
        refuse_unshown(mime_type)
    if kind is not None and is_packed(kind):  # that begins as something else: what unpacks it looks from its end
        return within(file, name)
    if kind is None or mime_type.startswith("image/"):  # of a picture that isn't shown, only the designer's file is
        refuse_type(mime_type)
    return kind


def refuse_false_picture(file: File[bytes], name: str, kind: FileKind) -> None:
    """Refuse what is no picture, and is named or declared as one: whoever sent it means another file."""
    if kind.type == MediaType.IMAGE:
        return
    extension, declared = extension_of(name), (getattr(file, "content_type", None) or "").lower()
    is_declared = declared.startswith("image/") and declared not in (kind.mime_type, *kind.aliases)
    if extension in PICTURES or is_declared:
        refuse(
            _(
                "The file is sent as a picture (%(claim)s), but its content is none: it is of the type %(type)s. "
                "Send the picture itself, or the file under a name that fits what it is."
            ),
            claim=f".{extension}" if extension in PICTURES else declared[:100],
            type=kind.mime_type,
        )
