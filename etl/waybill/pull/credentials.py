"""The user and the secret of one connection, which appear only in its Authorization header."""

import re
from base64 import b64encode

import httpx2

from waybill.model.errors import ConfigurationError

MASK = "<credentials>"


class Credentials:
    """HTTP basic credentials (RFC 7617, UTF-8) that no text or log shows.

    :raises ConfigurationError: user or secret is empty or has a control character, or the user has a colon
    """

    def __init__(self, user: str, secret: str) -> None:
        if not user or not secret or ":" in user or not (user + secret).isprintable():
            raise ConfigurationError(
                "The user or the secret of this connection is empty, the user has a colon, or one of them has a line "
                "break or another invisible character. Copy both again."
            )
        pair = b64encode(f"{user}:{secret}".encode()).decode()
        # httpx2 shows an Authorization header as [secure].
        self._headers = httpx2.Headers({"Authorization": f"Basic {pair}"})
        forms = {user, secret, pair} | {b64encode(word.encode()).decode() for word in (user, secret)}
        longest_first = sorted((form.rstrip("=") or form for form in forms), key=len, reverse=True)
        any_form = "|".join(_in_any_spelling(form) for form in longest_first)
        self._forms = re.compile(f"(?:{any_form})(?:=|%3d)*", re.IGNORECASE)

    def __repr__(self) -> str:
        return "Credentials()"

    def sign(self, headers: httpx2.Headers) -> httpx2.Headers:
        """Return a copy of the headers with the Authorization header."""
        signed = headers.copy()
        signed.update(self._headers)
        return signed

    def mask(self, text: str) -> str:
        """Return the text with the user, the secret and their encoded forms replaced by `<credentials>`."""
        return self._forms.sub(MASK, text)


def _in_any_spelling(form: str) -> str:
    """Return an expression in which every character may be percent-encoded, and a space may be a plus sign."""
    return "".join(
        f"(?:{re.escape(character)}|{''.join(f'%{byte:02x}' for byte in character.encode())}"
        + (r"|\+)" if character == " " else ")")
        for character in form
    )
