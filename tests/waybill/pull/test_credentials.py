"""User and secret are only in one header, and no text shows them."""

from base64 import b64decode, b64encode
from urllib.parse import quote, quote_plus

import httpx2
import pytest

from tests.waybill.pull.servers import SECRET, USER
from waybill.model.errors import ConfigurationError
from waybill.pull.credentials import MASK, Credentials

PAIR = b64encode(f"{USER}:{SECRET}".encode()).decode()


def test_the_header_is_http_basic_in_utf_8():
    header = Credentials("jörg", "päss: wörd")
    signed = header.sign(httpx2.Headers({"Accept": "*/*"}))
    kind, pair = signed["authorization"].split(" ")
    assert kind == "Basic"
    assert b64decode(pair).decode() == "jörg:päss: wörd"
    assert signed["accept"] == "*/*"


def test_signing_does_not_change_the_given_headers():
    headers = httpx2.Headers({"Accept": "*/*"})
    Credentials(USER, SECRET).sign(headers)
    assert "authorization" not in headers


@pytest.mark.parametrize(
    "form",
    [
        USER,
        SECRET,
        PAIR,
        PAIR.rstrip("="),
        b64encode(SECRET.encode()).decode(),
        quote(SECRET),
        quote(SECRET, safe=""),
        quote(SECRET, safe="").lower(),
        quote_plus(SECRET),
        quote(PAIR, safe=""),
        SECRET.upper(),
    ],
)
def test_every_form_is_masked(form: str):
    assert Credentials(USER, SECRET).mask(f"You sent {form}, twice: {form}.") == f"You sent {MASK}, twice: {MASK}."


def test_a_text_without_credentials_does_not_change():
    assert Credentials(USER, SECRET).mask("Authenticate") == "Authenticate"


def test_no_repr_shows_the_credentials():
    credentials = Credentials(USER, SECRET)
    signed = credentials.sign(httpx2.Headers())
    shown = f"{credentials!r} {credentials} {signed!r} {signed}"
    assert not any(form in shown for form in (USER, SECRET, PAIR))


@pytest.mark.parametrize(
    ("user", "secret"),
    [("", SECRET), (USER, ""), ("user:name", SECRET), (USER, "secret\n"), ("\ufeffuser", SECRET), (USER, "a\x00b")],
)
def test_malformed_credentials_are_a_configuration_error_that_does_not_show_them(user: str, secret: str):
    with pytest.raises(ConfigurationError) as caught:
        Credentials(user, secret)
    assert not any(word and word in str(caught.value) for word in (SECRET, "user:name", "secret\n", "a\x00b"))
