"""The rows in the pages of Twilio's lists that a client kept."""

import json
from collections.abc import Iterable

from waybill.simulator.records import WrittenRecord
from waybill.simulator.twilio.lists import Sighting
from waybill.simulator.twilio.page import as_written, rows_of
from waybill.simulator.twilio.rows import CALLS, MESSAGES, TwilioWorld


def records_in_bodies(world: TwilioWorld, bodies: Iterable[bytes]) -> list[WrittenRecord]:
    """Returns the records of landed pages of Twilio's lists.

    If a client dies between receiving and landing, the landed pages are the truth, not the sent ones.

    :param bodies: pages of either list of any account, as received
    :raises ValueError: a body is not a page, or has a row in a state that the world never had
    """
    return [sighting.record for sighting in sightings_in_bodies(world, bodies)]


def sightings_in_bodies(world: TwilioWorld, bodies: Iterable[bytes]) -> set[Sighting]:
    """Returns the states of rows in landed pages. Raises ValueError as `records_in_bodies` does."""
    rows = {
        row.sid: (account, row)
        for account in world.accounts
        for feed in (MESSAGES, CALLS)
        for row in world.rows(account, feed)
    }
    found = set()
    for body in bodies:
        for written in rows_of(json.loads(body)):
            account, row = rows[str(written["sid"])]
            states = [as_written(state) for _, state in row.states]
            if written not in states:
                raise ValueError(f"expected a state of the row {row.sid}, got one with status {written['status']}")
            found.add(Sighting(account, row, states.index(written)))
    return found
