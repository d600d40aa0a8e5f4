"""The type of a provider's data sheet. The sheets are in feeds/<provider>/provider.py; the folder is the slug."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from waybill.model.wire import PLAIN, Wire


class MessageIds(NamedTuple):
    """What identity needs of a provider.

    :ivar message_id: returns the id of the leg from an id in any system's spelling; empty if there is no id
    :ivar leg_has_recipient: True if one id covers several recipients, so that the leg includes the recipient
    """

    message_id: Callable[[str], str]
    leg_has_recipient: bool


@dataclass(frozen=True, kw_only=True)
class Provider:
    """What all feeds of a provider have in common.

    Codes are compared in lower case; `*` at an end of a pattern matches any text; the first code that fits wins.

    :ivar message_ids: None as long as the provider has no feed, and for the dispatch log: no row joins such a message
    :ivar codes: failure code, as the feeds write `provider_code`, to failure reason
    :ivar general_codes: codes with a general meaning, used if neither status nor text gives a finer reason
    :ivar words: the provider's own texts about failures, in rows as in model/failure_words.py
    :ivar credentials: for feeds of an API: the names of the settings with the account id, if requests need it, and, as
        the last, with the secret
    :ivar base_url: origin of the API; a setting may name another
    :ivar wire: where requests carry the secret, and how many the provider allows
    """

    message_ids: MessageIds | None
    codes: Mapping[str, str] = field(default_factory=dict)
    general_codes: Mapping[str, str] = field(default_factory=dict)
    words: tuple[tuple[str, str, str], ...] = ()
    credentials: tuple[str, ...] = ()
    base_url: str = ""
    wire: Wire = PLAIN
