"""Why a file is refused, said so that a reader's language can be chosen later.

A decoder, which does without Django, takes part in it: a sentence is kept apart from what fills it.
"""


def gettext_noop(text: str) -> str:
    """Mark a text for translators, as Django's own does."""
    return text


class Refusal(Exception):
    """A file that can't be taken; its message tells the person who sent it what is wrong, in English."""

    def __init__(self, text: str, **values: str) -> None:
        super().__init__(text % values)
        self.text = text
        self.values = values


DAMAGED = gettext_noop("The image is damaged or incomplete. Send it again, or save it anew first.")
