"""Benchmark of live monitoring with a long history: its delay after a load, its query times, its cost in a load.

    python -m bench.live [--messages 10000000] [--events 20000] [--folder DIR]

Fills a warehouse with messages (in bulk, by SQL, without legs and events), loads files, runs queries, and recounts.
Prints seconds and their ratio to the limits; asserts only that all counts are right.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from psycopg2 import sql

from bench.generate import START, spool
from waybill.facts import live_counts, outcomes
from waybill.facts.live_counts import LIVE_TABLES
from waybill.feeds import FEEDS
from waybill.flow import steps
from waybill.flow.ingest import load
from waybill.landing.objects import land
from waybill.model.vocabulary import NOT_SENT_CATEGORY
from waybill.quality import gate
from waybill.reports import live
from waybill.settings import Settings
from waybill.warehouse import embedded
from waybill.warehouse.connection import REPORTER, Warehouse, connect, connected
from waybill.warehouse.migrations import migrate

LIMIT_SECONDS = 0.05
SOON_SECONDS = 5.0
TIMES = 20
CHUNK = 500_000
ACCOUNT = "account-2"
QUERIES = {
    "every campaign": "select * from report.live_monitoring",
    "one campaign": f"select * from report.live_monitoring where account = '{ACCOUNT}' and campaign_id = 'campaign-7'",
    "one campaign, all accounts": "select * from report.live_monitoring where campaign_id = 'campaign-7'",
    "totals by account": "select account, sum(targeted), sum(opened) from report.live_monitoring group by account",
    "every reason": "select * from report.live_monitoring_reason",
    "reasons of one campaign": f"select * from report.live_monitoring_reason where account = '{ACCOUNT}'"
    " and campaign_id = 'campaign-7'",
}

# 5 accounts; 300 campaigns of emails each, 100 of text messages, 20 of calls; every state and reason.
_MESSAGES = """
insert into fact.message (
    message_key, account, channel, state, sent_at, sent_day, provider, campaign_id, failure_class,
    failure_reason, not_sent_category, not_sent_reason, is_scheduled, is_delivered_then_bounced, is_opened,
    is_opened_human, is_clicked, is_clicked_human, is_spam_reported, is_unsubscribed, days
)
select
    gen_random_uuid(),
    account,
    channel,
    state,
    sent_at,
    sent_at::date,
    case channel when 'email' then 'sendgrid' else 'twilio' end,
    campaign_id,
    case when state = 'bounced' then (array['invalid', 'hard_bounce', 'soft_bounce', 'blocked'])[1 + chance %% 4] end,
    case when state = 'bounced' then 'unclassified' end,
    case when state = 'not_sent' then (%(categories)s::text[])[why] end,
    case when state = 'not_sent' then (%(reasons)s::text[])[why] end,
    state = 'in_progress' and chance %% 2 = 0,
    false,
    is_opened,
    is_opened,
    is_opened and chance %% 5 = 0,
    is_opened and chance %% 5 = 0,
    state = 'delivered' and chance %% 1009 = 0,
    state = 'delivered' and chance %% 503 = 0,
    array[sent_at::date]
from (
    select
        number,
        chance,
        channel,
        state,
        'account-' || number %% 5 as account,
        'campaign-' || campaign as campaign_id,
        1 + (campaign + chance %% 6) %% cardinality(%(reasons)s::text[]) as why,
        case when state not in ('not_sent', 'in_progress') then %(until)s - interval '1 second' * (number * 3) end
            as sent_at,
        state = 'delivered' and channel = 'email' and chance %% 3 = 0 as is_opened
    from generate_series(%(from_number)s::bigint, %(until_number)s::bigint - 1) as series (number)
    cross join lateral (
        select
            abs(hashint8(number)::bigint) as chance,
            case when number / 11 %% 20 < 14 then 'email' when number / 11 %% 20 < 19 then 'sms' else 'ivr' end
                as channel
    ) as one
    cross join lateral (
        select
            chance / 700 %% case channel when 'email' then 300 when 'sms' then 100 else 20 end as campaign,
            case
                when chance %% 100 < 84 then 'delivered'
                when chance %% 100 < 88 then 'bounced'
                when chance %% 100 < 90 then 'not_delivered'
                when chance %% 100 < 93 then 'in_gateway'
                when chance %% 100 < 98 then 'not_sent'
                else 'in_progress'
            end as state
    ) as drawn
) as made
"""
# For speed: rows first, then their indexes.
_BARE = """
drop index fact.message_day;
alter table fact.message drop constraint message_pkey;
"""
_INDEXED = """
set maintenance_work_mem = '1GB';
alter table fact.message add primary key (message_key);
create index message_day on fact.message using gin (days);
analyze fact.message;
"""


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=10_000_000)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--folder", type=Path, help="for the temporary warehouse; default: as mktemp")
    arguments = parser.parse_args()
    if arguments.folder is not None:
        arguments.folder.mkdir(parents=True, exist_ok=True)
    gate._library()  # its import is a cost per process, not per load
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        settings = Settings.from_environment(
            {"WAYBILL_VAR": folder, "RECIPIENT_HMAC_KEY": "a key for benchmarks only", "REJECTED_CEILING": "1"}
        )
        url = embedded.start(settings.var / "postgres", settings.postgres_version)
        try:
            _measure(settings, url, arguments)
        finally:
            embedded.stop(settings.var / "postgres", settings.postgres_version)


def _measure(settings: Settings, url: str, arguments: argparse.Namespace) -> None:
    migrate(url)
    began = time.perf_counter()
    _fill(url, arguments.messages)
    print(f"history: {arguments.messages:,} messages in {time.perf_counter() - began:.0f} s")
    began = time.perf_counter()
    _count_all(url)
    print(f"counting them all, as a migration does: {time.perf_counter() - began:.1f} s")

    events = list(spool(arguments.events, 2, START, 3_600))
    half = len(events) // 2
    _load(settings, url, events[:half])
    with _timed() as seconds:
        began = time.perf_counter()
        _load(settings, url, events[half:])
        total = time.perf_counter() - began
    committed = time.perf_counter()
    stored = _rows(url, f"select sum(targeted), sum(delivered) from report.live_monitoring where account = '{ACCOUNT}'")
    soon = time.perf_counter() - committed
    facts = _rows(
        url,
        f"select count(*), count(*) filter (where state = 'delivered') from fact.message where account = '{ACCOUNT}'",
    )
    assert [tuple(map(int, row)) for row in stored] == facts
    added = seconds["differences"]
    print(f"a load of {len(events) - half:,} events: {total:.2f} s, its publish {seconds['publish']:.2f} s")
    print(f"live monitoring, of that publish: {added:.3f} s, {added / seconds['publish']:.1%}")
    print(f"right after its commit: {soon:.3f} s, {soon / SOON_SECONDS:.3f} of the limit of {SOON_SECONDS:.0f} s")
    for name, query in QUERIES.items():
        taken, count = _asked(url, query)
        median, worst = statistics.median(taken), max(taken)
        print(f"{name}, {count:,} rows: median {median * 1_000:.1f} ms, worst {worst * 1_000:.1f} ms of {TIMES};"
              f" {median / LIMIT_SECONDS:.2f} and {worst / LIMIT_SECONDS:.2f} of the limit")  # fmt: skip
    began = time.perf_counter()
    assert _differences(url) == 0
    print(f"recount: equal, {time.perf_counter() - began:.1f} s")


def _fill(url: str, message_count: int) -> None:
    with connected(url) as connection, connection.cursor() as cursor:
        cursor.execute("set synchronous_commit = off")
        cursor.execute(_BARE)
        for number in range(0, message_count, CHUNK):
            cursor.execute(
                _MESSAGES,
                {
                    "reasons": list(NOT_SENT_CATEGORY),
                    "categories": list(NOT_SENT_CATEGORY.values()),
                    "until": datetime.fromtimestamp(START, UTC),
                    "from_number": number,
                    "until_number": min(number + CHUNK, message_count),
                },
            )
            connection.commit()
        cursor.execute(_INDEXED)
        connection.commit()


def _count_all(url: str) -> None:
    with connected(url, "waybill_owner") as connection, connection, connection.cursor() as cursor:
        live_counts.create_recount(cursor)
        for table in LIVE_TABLES:
            live_counts.add(cursor, table, sql.SQL("live_recount"))


def _load(settings: Settings, url: str, lines: list[bytes]) -> None:
    path = settings.var / "spool.ndjson"
    path.write_bytes(b"".join(lines))
    with path.open("rb") as file:
        landed = land(file, ACCOUNT, "sendgrid_events", settings.landing_url, datetime.now(UTC) + timedelta(days=1))
    load(Warehouse(settings, url), FEEDS["sendgrid_events"], [landed]).checked()


@contextmanager
def _timed() -> Iterator[dict[str, float]]:
    """Yields the seconds that the next load takes to publish, and the part of live monitoring in them."""
    seconds = {"publish": 0.0, "differences": 0.0}
    names = {
        "publish": [(steps, "publish")],
        "differences": [
            (outcomes.live_counts, "note_before"),
            (outcomes.live_counts, "write_difference"),
            (outcomes.live_counts, "note_as_of"),
        ],
    }
    found = [(what, module, name, getattr(module, name)) for what, of in names.items() for module, name in of]

    def timed(what: str, function: Callable) -> Callable:
        def run(*arguments: object, **named: object) -> object:
            began = time.perf_counter()
            try:
                return function(*arguments, **named)
            finally:
                seconds[what] += time.perf_counter() - began

        return run

    for what, module, name, function in found:
        setattr(module, name, timed(what, function))
    try:
        yield seconds
    finally:
        for _, module, name, function in found:
            setattr(module, name, function)


def _rows(url: str, query: str) -> list[tuple]:
    with connected(url) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def _asked(url: str, query: str) -> tuple[list[float], int]:
    """Returns the seconds of each of TIMES queries, with their rows fetched, and the number of rows."""
    taken = []
    connection = connect(url, "waybill_bi_reader")
    for _ in range(TIMES):
        with connection, connection.cursor() as cursor:
            began = time.perf_counter()
            cursor.execute(query)
            rows = cursor.fetchall()
            taken.append(time.perf_counter() - began)
    connection.close()
    assert rows
    return taken, len(rows)


def _differences(url: str) -> int:
    """Returns the number of rows in which a recount and the stored counts differ."""
    found = 0
    with connected(url, REPORTER) as connection, connection, connection.cursor() as cursor:
        live.derive(cursor)
        for table in LIVE_TABLES:
            parts = {
                "columns": sql.SQL(", ").join(map(sql.Identifier, table.columns)),
                "stored": sql.Identifier("fact", table.name),
                "expected": sql.Identifier("pg_temp", table.name),
            }
            for one, other in (("stored", "expected"), ("expected", "stored")):
                cursor.execute(
                    sql.SQL(
                        f"select count(*) from (select {{columns}} from {{{one}}}"
                        f" except all select {{columns}} from {{{other}}}) as differing"
                    ).format(**parts)
                )
                found += cursor.fetchone()[0]
    return found


if __name__ == "__main__":
    main()
