"""What the two commands say in the same words."""

from collections.abc import Mapping


def counted(counts: Mapping[str, int]) -> str:
    """Return how many there are of each kind, such as `1 project, 2 tags`."""
    return ", ".join(f"{count:,} {kind.removesuffix('s') if count == 1 else kind}" for kind, count in counts.items())
