"""Addresses as people enter them, looked up before anything is written: names may take seconds to be found."""

from django.utils.translation import gettext as _

from .addresses import check_url, masked


class LookedUp:
    """What was found of the addresses of one request, so that no transaction waits for a name."""

    def __init__(self) -> None:
        self.found: dict[str, str | ValueError] = {}

    def look_up(self, text: object) -> None:
        """Find out about an address that a request brings, if it is one."""
        if isinstance(text, str) and text and not is_masked(text):
            try:
                self.found[text.strip()] = check_url(text)
            except ValueError as error:
                self.found[text.strip()] = error

    def address(self, text: str, stored: str) -> str:
        """Return the address to be kept, the stored one for what it is shown as; raise ValueError for what is none."""
        text = text.strip()
        if stored and text == masked(stored):
            return stored
        if is_masked(text):
            raise ValueError(_("This is an address as it is shown, without its path. Enter the whole of it."))
        found = self.found.get(text)
        if isinstance(found, ValueError):
            raise found
        return check_url(text) if found is None else found


def is_masked(text: str) -> bool:
    """Tell whether a text is what an address is shown as."""
    return text.strip() == masked(text)
