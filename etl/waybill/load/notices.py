"""What providers say about the accounts themselves: no event, but news. `ops.account_notice` keeps the latest."""

from psycopg2.extensions import cursor as Cursor  # noqa: N812

from waybill.ledger.books import Staged
from waybill.model.redaction import Redactor

LONGEST_DETAIL = 200
"""Characters of the provider's text that are kept."""


def write_notices(cursor: Cursor, staged: Staged) -> None:
    """Keep what the records of a load say about their accounts, where it is later than what is known. Order and
    batching of loads do not matter."""
    redactor = Redactor(None, None, None, None, None)
    for object_id, books in sorted(staged.objects.items()):
        for word, detail, noticed_at in books.notices.values():
            cursor.execute(
                "insert into ops.account_notice as n (account, feed, word, detail, noticed_at)"
                " select account, feed, %s, %s, %s from ops.object where object_id = %s"
                " on conflict (account, feed, word) do update"
                " set detail = excluded.detail, noticed_at = excluded.noticed_at"
                " where (n.noticed_at, coalesce(n.detail, '') collate \"C\")"
                " < (excluded.noticed_at, coalesce(excluded.detail, '') collate \"C\")",
                (word, None if detail is None else redactor.text(detail)[:LONGEST_DETAIL], noticed_at, object_id),
            )
