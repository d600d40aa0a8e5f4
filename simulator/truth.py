"""What the reports must show, from what really happened: DESIGN sections 5 (legs, messages), 6 and 7 in plain Python.

No SQL, no increments, nothing shared with `etl`: slow and obvious on purpose. The simulator's world and the tests'
model of the feeds both end in `Happening`s, and this module turns them into the cells of every report.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID


@dataclass(frozen=True)
class Happening:
    """One true event, after everything that was ever said of it is merged.

    Texts are as the facts hold them. `campaign` and `template` are (rank of the source from 1, id), ranks as in
    section 6: dispatch log, custom argument or tag, provider's own, category. `leg` names the leg within (account,
    provider), None where the record names no message; `names_leg` is (provider, *leg) of the gateway leg that a row
    of the dispatch log names, where it names one fully. `key` and `leg_key` matter only by their order.
    """

    key: UUID
    at: datetime
    account: str
    channel: str
    provider: str
    event_type: str
    leg: tuple[str, ...] | None
    leg_key: UUID | None
    names_leg: tuple[str, ...] | None = None
    gateway: str | None = None
    dispatch_id: str | None = None
    campaign: tuple[int, str] | None = None
    template: tuple[int, str] | None = None
    mailbox_provider: str | None = None
    country: str | None = None
    failure_class: str | None = None
    not_sent_category: str | None = None
    not_sent_reason: str | None = None
    is_machine: bool | None = None
    price: Decimal | None = None
    currency: str | None = None
    segments: int | None = None
    duration_seconds: int | None = None
    answered_by: str | None = None
