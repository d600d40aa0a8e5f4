"""How a provider's API is asked: where a request carries the secret, and how many requests the provider allows.

Only declarations: `etl/waybill/pull` carries them out.
"""

from typing import NamedTuple


class Auth(NamedTuple):
    """Where a request carries the secret. The settings with user and secret are `Provider.credentials`.

    :ivar place: `basic`, `header`, or `body` (a field of the JSON body of a POST)
    :ivar name: the user of `basic` (empty: the account id), the name of the header, or the field of the body
    :ivar prefix: text before the secret in the header
    :ivar user_setting: of `basic`: a setting for an API key that signs in instead of the account
    """

    place: str
    name: str = ""
    prefix: str = ""
    user_setting: str = ""


BASIC = Auth("basic")
BEARER = Auth("header", "Authorization", "Bearer ")


def header_token(name: str, prefix: str = "") -> Auth:
    """Return an auth by a header with the secret, such as `api-key: …` or `Authorization: App …`."""
    return Auth("header", name, prefix)


class Rate(NamedTuple):
    """A limit that is kept before the provider answers 429.

    :ivar requests_per_second: 0: the provider names no such number
    :ivar remaining: header with the number of requests that are left; empty: there is none
    :ivar reset: header with the time from which requests are counted again
    :ivar is_reset_seconds: the reset is in seconds from now; else in seconds since 1970
    """

    requests_per_second: float = 0
    remaining: str = ""
    reset: str = ""
    is_reset_seconds: bool = False


class Wire(NamedTuple):
    """What all requests to a provider have in common."""

    auth: Auth = BASIC
    rate: Rate = Rate()


PLAIN = Wire()
