"""The result of a load in words, for the command line and the logs of Airflow tasks."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from psycopg2.extensions import cursor as Cursor  # noqa: N812

from waybill.ledger.loads import LedgerRow
from waybill.model.counted import counted
from waybill.warehouse.queries import sql_of

REASONS_NAMED = 5
"""Reasons in a message. The ledger has all of them."""


class Summary(NamedTuple):
    """The ledger row of a load in words. No line holds a value of a record.

    :ivar counts: one line: how many records were read, and what became of them
    :ivar remarks: one line with the reasons of rejected records, one for each warning, one for each empty file
    """

    counts: str
    remarks: tuple[str, ...]

    @property
    def lines(self) -> tuple[str, ...]:
        """All lines, for a log."""
        return self.counts, *self.remarks


def summary(cursor: Cursor, row: LedgerRow, empty: Sequence[str] = ()) -> Summary:
    """Return the ledger row of a load in words.

    :param empty: names of its files without a record
    """
    counts = f"load {row.load_id}, {row.feed} of {row.account}: {row.status}"
    remarks = []
    if row.read_count is not None:
        records = _counts(row, ("loaded", "duplicate", "ignored", "rejected"))
        events = _counts(row, ("inserted", "revised", "unchanged", "removed", "unknown"))
        counts += f"; {counted(row.read_count, 'record', 'records')} read" + (f": {records}" if records else "")
        counts += f"; events: {events}" if events else ""
    if row.stop_reason:
        remarks.append(row.stop_reason)
    if row.rejected_count:
        remarks.append(f"rejected: {most_frequent(row.rejected_reasons or {})}")
    remarks += [f"warning: {text}" for text in _warnings(cursor, row.load_id)]
    remarks += [f"{name}: the file holds no record" for name in empty]
    return Summary(counts, tuple(f"load {row.load_id}: {remark}" for remark in remarks))


def most_frequent(reasons: Mapping[str, int]) -> str:
    """Return the most frequent reasons with their counts: `not JSON (44); event: missing (2)`."""
    in_order = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
    named = [f"{reason} ({count})" for reason, count in in_order[:REASONS_NAMED]]
    if len(in_order) > REASONS_NAMED:
        named.append(f"and {counted(len(in_order) - REASONS_NAMED, 'more reason', 'more reasons')}")
    return "; ".join(named)


def _counts(row: LedgerRow, names: tuple[str, ...]) -> str:
    found = ((name, getattr(row, f"{name}_count")) for name in names)
    return ", ".join(f"{count:,} {name}" for name, count in found if count)


def _warnings(cursor: Cursor, load_id: int) -> list[str]:
    """Return the failed rules of the load's suite that only warn."""
    cursor.execute(sql_of("ledger/loads", "warnings"), {"subject": f"load {load_id}"})
    return [
        f"{rule} ({description}): {counted(int(count), 'row', 'rows') if count else 'an unknown number of rows'}"
        for rule, description, count in cursor.fetchall()
    ]
