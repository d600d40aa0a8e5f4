"""The user and the secret of one connection, which appear only where the provider asks for them."""

import re
from base64 import b64encode

import httpx2
import msgspec

from waybill.model.errors import ConfigurationError
from waybill.model.wire import BASIC, Auth

MASK = "<credentials>"


class Credentials:
    """Credentials that no text or log shows.

    :param user: for HTTP basic (RFC 7617, UTF-8); else it may be empty
    :param auth: where a request carries the secret
    :raises ConfigurationError: user or secret is empty or has a control character, or the user has a colon
    """

    def __init__(self, user: str, secret: str, auth: Auth = BASIC) -> None:
        is_basic = auth.place == "basic"
        if not secret or (is_basic and (not user or ":" in user)) or not (user + secret).isprintable():
            raise ConfigurationError(
                "The user or the secret of this connection is empty, the user has a colon, or one of them has a line "
                "break or another invisible character. Copy both again."
            )
        if auth.place == "header" and not secret.isascii():
            raise ConfigurationError("The secret of this connection has letters that a header cannot have.")
        pair = b64encode(f"{user}:{secret}".encode()).decode()
        self._field = {auth.name: secret} if auth.place == "body" else {}
        self._headers = httpx2.Headers()
        if is_basic:
            self._headers["Authorization"] = f"Basic {pair}"  # httpx2 shows this header as [secure]
        elif auth.place == "header":
            self._headers[auth.name] = f"{auth.prefix}{secret}"
        words = (user, secret) if user and user != auth.name else (secret,)
        forms = {*words, pair} | {b64encode(word.encode()).decode() for word in words}
        longest_first = sorted((form.rstrip("=") or form for form in forms), key=len, reverse=True)
        any_form = "|".join(_in_any_spelling(form) for form in longest_first)
        self._forms = re.compile(f"(?:{any_form})(?:=|%3d)*", re.IGNORECASE)

    def __repr__(self) -> str:
        return "Credentials()"

    def sign(self, headers: httpx2.Headers) -> httpx2.Headers:
        """Return a copy of the headers with the secret, if a header carries it."""
        signed = headers.copy()
        signed.update(self._headers)
        return signed

    def filled(self, body: str) -> bytes:
        """Return the JSON object of a POST with the secret, if the body carries it."""
        if not self._field:
            return body.encode()
        return msgspec.json.encode({**msgspec.json.decode(body, type=dict[str, object]), **self._field})

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
