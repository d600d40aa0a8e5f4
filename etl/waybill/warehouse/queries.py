"""The SQL of the program, from the files of sql/, in the form in which it runs.

A file is one query, or holds several, each after a line `-- name: <name>` and a sentence that says what it does.
"""

import re
from functools import cache

from waybill.installed_files import SQL

_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)


def sql_of(file: str, name: str | None = None) -> str:
    """The text of a query.

    :param file: below sql/, without its suffix, such as "load/fold_legs"
    :param name: of the query, where the file holds several
    :raises KeyError: the file has no such query
    """
    return _queries(file)[name]


@cache
def _queries(file: str) -> dict[str | None, str]:
    text = (SQL / f"{file}.sql").read_text()
    _, *parts = _NAME.split(text)
    return dict(zip(parts[::2], parts[1::2], strict=True)) if parts else {None: text}
