"""What a file is by its content, where it is no readable image."""

from __future__ import annotations  # File[bytes] means something to type checkers only

from django.core.files import File
from django.utils.translation import gettext as _

from ..errors import UploadRefused
from ..kinds import KIND_BY_EXTENSION, KIND_BY_MIME_TYPE, TEXTS, FileKind
from ..models import MediaType
from ..naming import extension_of
from ..refusals import DAMAGED
from ..unshown import unshown_kind
from .detecting import detect
from .refusing import refuse, refuse_unshown
from .texts import is_markup
from .zips import is_open_xml

__all__ = ["detect", "recognise"]

# libmagic takes a document whose parts come in an unusual order for a plain ZIP, or for nothing it has a type for.
UNSURE = {"application/zip", "application/octet-stream"}
PDF_SIGNATURE = b"%PDF-"
HEIF_TYPES = ("image/heic", "image/heif")
SHOWN_TYPES = {"image/svg+xml", "image/vnd.microsoft.icon", "image/x-icon"}  # by browsers, though not accepted


def recognise(file: File[bytes], name: str) -> FileKind:
    """Return what a file that is no readable image is by its content, or raise UploadRefused.

    The name decides only between kinds of which the content could be either.
    """
    mime_type = detect(file)
    kind = KIND_BY_MIME_TYPE.get(mime_type)
    named = KIND_BY_EXTENSION.get(extension_of(name))
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
    if kind in TEXTS and named in TEXTS:
        return named
    if named and mime_type in UNSURE and is_open_xml(file, extension_of(name)):
        return named
    if kind is None and mime_type.startswith("image/") and mime_type not in SHOWN_TYPES:
        refuse_unshown(mime_type)
    return kind or refuse(
        _("The file's content is of the type %(type)s, which is not accepted. Accepted are: %(accepted)s."),
        type=mime_type,
    )
