"""Form-encoded bodies (application/x-www-form-urlencoded), as some providers post events: `name=value&name=value`."""

import re
from dataclasses import dataclass
from urllib.parse import unquote_plus

import msgspec

_BEGINS = re.compile(rb"\s*[\w.~%+*\[\]-]+=", re.ASCII)
_OF_JSON = {"%22": '"', "%3A": ":", "%2C": ",", "%7B": "{", "%7D": "}", "%5B": "[", "%5D": "]", "%2F": "/", "%40": "@"}
"""Most escapes of JSON in a form. Replaced first, the rest is decoded three times as fast."""


@dataclass(frozen=True)
class PostedForm:
    """How a provider posts forms.

    :ivar json_field: the field that contains the records as JSON; None if the fields of a form are one record
    """

    json_field: str | None = None

    def json_of(self, body: bytes) -> bytes | None:
        """Return the JSON text of the records in a form; None if the bytes are no form with records."""
        if not _BEGINS.match(body):
            return None
        values: dict[str, list[str]] = {}
        try:
            for part in body.strip().decode().split("&"):
                name, equals, value = part.partition("=")
                if not (name and equals):
                    return None
                values.setdefault(_decoded(name), []).append(_decoded(value))
        except UnicodeDecodeError:
            return None
        if self.json_field is None:
            return msgspec.json.encode({name: found if found[1:] else found[0] for name, found in values.items()})
        return "\n".join(values[self.json_field]).encode() if self.json_field in values else None


def _decoded(text: str) -> str:
    """Return a name or a value of a form without its escapes. Raises UnicodeDecodeError."""
    for escape, character in _OF_JSON.items() if "%22" in text else ():
        text = text.replace(escape, character)
    return unquote_plus(text, errors="strict")
