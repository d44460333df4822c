"""What is said of a file that is not accepted."""

from typing import NoReturn

from django.utils.translation import gettext as _

from ..errors import UploadRefused
from ..kinds import KINDS
from ..unshown import UNSHOWN


def refuse(text: str, **values: str) -> NoReturn:
    """Raise UploadRefused with a translated text, whose `%(accepted)s` is what would be accepted."""
    accepted = ", ".join(dict.fromkeys(kind.extensions[0] for kind in KINDS))
    raise UploadRefused(text % {"accepted": accepted, **values}, code="not_accepted")


def refuse_type(mime_type: str) -> NoReturn:
    """Raise UploadRefused for content of a type that is not accepted."""
    refuse(
        _("The file's content is of the type %(type)s, which is not accepted. Accepted are: %(accepted)s."),
        type=mime_type,
    )


def refuse_unshown(kind: str) -> NoReturn:
    """Raise UploadRefused of a picture of a kind that browsers don't show, and which that is."""
    raise UploadRefused(_(UNSHOWN) % {"kind": kind}, code="not_accepted")
