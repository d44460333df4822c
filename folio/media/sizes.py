UNITS = ("bytes", "KB", "MB", "GB", "TB", "PB")


def human_readable_size(size: int) -> str:
    """Return a number of bytes for people, by powers of 1,024: `512 bytes`, `2 KB`, `71.35 KB`.

    The unit is the largest of which there is one at least, after rounding to two decimals: 1,048,575 bytes are `1 MB`.
    """
    amount, unit = float(size), 0
    while round(amount, 2) >= 1024 and unit < len(UNITS) - 1:
        amount /= 1024
        unit += 1
    return f"{amount:.2f}".rstrip("0").rstrip(".") + f" {UNITS[unit]}"
