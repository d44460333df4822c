"""How commands that take much into their hands say no: in words, before anything is changed."""

SHOWN = 20  # of many faults


class Refused(Exception):
    """What can't be done, or can't go on; the text says why and what to do."""


def listed(faults: list[str]) -> str:
    """Return faults in a line each, the first of them where there are many."""
    more = [f"… and {len(faults) - SHOWN:,} more"] if len(faults) > SHOWN else []
    return "".join(f"\n  {line}" for line in [*faults[:SHOWN], *more])
