"""What a load came to, in words: the same on the command line and in the logs of Airflow's tasks."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from psycopg2.extensions import cursor as Cursor  # noqa: N812

from waybill.ledger.loads import LedgerRow

REASONS_TOLD = 5
"""Reasons that a message names, the most frequent; the ledger has them all."""


class Summary(NamedTuple):
    """The ledger row of a load in words. No line holds a value of a record.

    :ivar counts: one line: what was read, and what became of it
    :ivar remarks: a line for the reasons of rejected records, one for each warning of the suite, each empty file
    """

    counts: str
    remarks: tuple[str, ...]

    @property
    def lines(self) -> tuple[str, ...]:
        """All of it, for a log."""
        return self.counts, *self.remarks


def summary(cursor: Cursor, row: LedgerRow, empty: Sequence[str] = ()) -> Summary:
    """Put the ledger row of a load into words.

    :param empty: names of its files that hold no record
    """
    counts = f"load {row.load_id}, {row.feed} of {row.account}: {row.status}"
    remarks = []
    if row.read_count is not None:
        records = _counts(row, ("loaded", "duplicate", "ignored", "rejected"))
        events = _counts(row, ("inserted", "revised", "unchanged", "removed", "unknown"))
        counts += f"; {row.read_count:,} records read" + (f": {records}" if records else "")
        counts += f"; events: {events}" if events else ""
    if row.stop_reason:
        remarks.append(row.stop_reason)
    if row.rejected_count:
        remarks.append(f"rejected: {told_reasons(row.rejected_reasons or {})}")
    remarks += [f"warning: {text}" for text in _warnings(cursor, row.load_id)]
    remarks += [f"{name}: the file holds no record" for name in empty]
    return Summary(counts, tuple(f"load {row.load_id}: {remark}" for remark in remarks))


def told_reasons(reasons: Mapping[str, int]) -> str:
    """The most frequent reasons with their counts: `not JSON (44); event: missing (2)`."""
    in_order = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
    told = [f"{reason} ({count})" for reason, count in in_order[:REASONS_TOLD]]
    if len(in_order) > REASONS_TOLD:
        told.append(f"and {len(in_order) - REASONS_TOLD} more reasons")
    return "; ".join(told)


def _counts(row: LedgerRow, names: tuple[str, ...]) -> str:
    found = ((name, getattr(row, f"{name}_count")) for name in names)
    return ", ".join(f"{count:,} {name}" for name, count in found if count)


def _warnings(cursor: Cursor, load_id: int) -> list[str]:
    """Rules of the load's suite that failed and only warn."""
    cursor.execute(
        "select v.suite || '.' || (rule ->> 'rule'), rule ->> 'description', rule ->> 'unexpected_count'"
        " from ops.validation as v cross join lateral jsonb_array_elements(v.results) as rule"
        " where v.subject = %s and not (rule ->> 'success')::boolean and rule ->> 'severity' = 'warning'"
        " and not coalesce((rule ->> 'is_broken')::boolean, false) order by v.validation_id, 1",
        (f"load {load_id}",),
    )
    return [
        f"{rule} ({description}): {count or 'an unknown number of'} rows"
        for rule, description, count in cursor.fetchall()
    ]
