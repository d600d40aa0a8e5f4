"""Notices of providers about the accounts themselves. `ops.account_notice` keeps the latest of each word."""

from psycopg2.extensions import cursor as Cursor  # noqa: N812

from waybill.ledger.counts import Staged
from waybill.model.redaction import mask_everyone
from waybill.warehouse.queries import sql_of

LONGEST_DETAIL = 200
"""How many characters of the provider's text are kept."""


def write_notices(cursor: Cursor, staged: Staged) -> None:
    """Keep the notices in the records of a load if they are later than the known ones, so that the order of loads does
    not matter."""
    for object_id, counts in sorted(staged.objects.items()):
        for word, detail, noticed_at in counts.notices.values():
            cursor.execute(
                sql_of("load/findings", "note_account"),
                {
                    "word": word,
                    "detail": None if detail is None else mask_everyone(detail)[:LONGEST_DETAIL],
                    "noticed_at": noticed_at,
                    "object_id": object_id,
                },
            )
