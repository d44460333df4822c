"""What is said of a file that is not accepted."""

from typing import NoReturn

from ..errors import UploadRefused
from ..kinds import KINDS


def refuse(text: str, **values: str) -> NoReturn:
    """Raise UploadRefused with a translated text, whose `%(accepted)s` is what would be accepted."""
    accepted = ", ".join(kind.extensions[0] for kind in KINDS)
    raise UploadRefused(text % {"accepted": accepted, **values}, code="not_accepted")
