"""Counts in messages: `1 day was`, `2 days were`."""


def counted(count: int, one: str, many: str) -> str:
    """Return a count with its noun.

    :param one: the words after a count of 1
    :param many: the words after any other count
    """
    return f"{count:,} {one if count == 1 else many}"
