"""The report page: hostile names, an empty warehouse, one day, ten thousand campaigns, and a feed that is late."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest

from tests.conftest import Warehouse
from tests.waybill.pages.report_page import Page, check_numbers
from waybill.pages.figures import MOST_PERIODS, Scope, periods_of
from waybill.pages.reports import render
from waybill.warehouse.connection import REPORTER, connected

NOW = datetime(2026, 3, 4, 8, tzinfo=UTC)
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7 * 7 }}{% raw %}",
    "</style></table>&amp;",
    "\u202egnirps\u2066",
    "\U0001f4a5 = '\"`",
    "x" * 900,
)


def run(warehouse: Warehouse, *statements: str, **values: object) -> None:
    connection = warehouse.connect()
    with connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement, values)
    connection.close()


def fill(warehouse: Warehouse, report: str, query: str, **values: object) -> None:
    """Insert the rows of a query into a report; its other counts are 0."""
    columns = warehouse.rows(
        "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0 and not attisdropped"
        " and atttypid = 'bigint'::regtype",
        (f"report.{report}",),
    )
    defaults = "".join(f"alter table report.{report} alter column {name} set default 0; " for (name,) in columns)
    run(warehouse, f"{defaults} insert into report.{report} {query}", **values)


def campaigns(warehouse: Warehouse, named: str, **values: object) -> None:
    """Insert emails of the campaigns that a query returns."""
    fill(
        warehouse,
        "campaign_daily",
        "(targeted_day, account, channel, campaign_id, targeted, sent, delivered, not_sent,"
        " not_sent_other) select '2026-03-02', 'acme', 'email', name, 9 + n, 5, 5, 4 + n, 4 + n"
        f" from ({named}) as named (name, n)",
        **values,
    )


def written(warehouse: Warehouse, **scope: object) -> Page:
    with connected(warehouse.url, REPORTER) as connection, connection.cursor() as cursor:
        return Page(render(cursor, NOW, **scope))


def test_an_empty_warehouse_has_a_page_that_says_so(warehouse: Warehouse) -> None:
    page = written(warehouse)
    assert "There are no messages to show" in page.shown and "`waybill report rebuild`" in page.shown
    assert page.numbers == [] and page.attributes("section") == []


def test_names_are_text_and_numbers_are_those_of_one_day(warehouse: Warehouse) -> None:
    """Names of campaigns, accounts and countries, and texts of providers, contain markup; the last feed is late."""
    campaigns(warehouse, "select name, n from unnest(%(names)s) with ordinality as u (name, n)", names=list(HOSTILE))
    names = "select %s from unnest(%%(names)s) as name"
    fill(
        warehouse,
        "email_deliverability_daily",
        "(event_day, account, provider, campaign_id, mailbox_provider, bounced_count)"
        + names % "'2026-03-02'::date, name, name, name, name, 1",
        names=list(HOSTILE),
    )
    fill(
        warehouse,
        "email_failure_reason_daily",
        "(event_day, account, provider, campaign_id, mailbox_provider, failure_class, failure_reason, leg_count)"
        + names % "'2026-03-02'::date, name, name, name, name, name, name, 1",
        names=list(HOSTILE),
    )
    fill(
        warehouse,
        "sms_activity_daily",
        "(sent_day, account, provider, campaign_id, country, sent)"
        + names % "'2026-03-02'::date, name, name, name, name, 1",
        names=list(HOSTILE),
    )
    long = "<b>" * 3_500
    run(
        warehouse,
        "update ops.report_state set stale_reason = %(long)s, stale_since = now()",
        "insert into ops.account_notice (account, feed, word, detail, noticed_at)"
        " values ('acme', 'x', %(long)s, '<i>', now())",
        "insert into ops.load (account, feed, kind, digest, rules_version, code_version, status, started_at, ended_at,"
        " read_count, loaded_count, duplicate_count, rejected_count, ignored_count, mapped_count, inserted_count,"
        " revised_count, unchanged_count) values ('<b>', '</td>', 'load', '', 1, '', 'published', %(at)s, %(at)s,"
        " 0, 0, 0, 0, 0, 0, 0, 0, 0)",
        long=long,
        at=NOW - timedelta(days=3),
    )
    page = written(warehouse)
    assert all(name in page.shown for name in HOSTILE if len(name) < 100) and "x" * 119 in page.shown
    assert "</td> of <b> was last loaded at 2026-03-01 08:00 UTC" in page.shown
    assert "Warning: The last build failed" in page.shown
    assert not {"img", "i", "b"} & {name for name, _ in page.elements}
    assert check_numbers(page, warehouse) > 100
    of_one = written(warehouse, account=HOSTILE[0], from_day=date(2026, 3, 1), until_day=date(2026, 3, 9))
    assert 0 < check_numbers(of_one, warehouse) < len(page.numbers) and HOSTILE[1] not in of_one.shown


def test_ten_thousand_campaigns_and_a_year(warehouse: Warehouse) -> None:
    campaigns(warehouse, "select 'campaign ' || n, n from generate_series(1, 10000) as n")
    run(warehouse, "update report.campaign_daily set targeted_day = targeted_day + (targeted %% 365)::int")
    page = written(warehouse)
    assert "and 9,950 more" in page.shown and "campaign 10000" in page.shown and "campaign 9950" not in page.shown
    assert check_numbers(page, warehouse) > 500


@pytest.mark.parametrize(
    ("days", "count", "first", "more"),
    [
        (1, 1, "2026-01-31", ""),
        (MOST_PERIODS, MOST_PERIODS, "2026-01-31", ""),
        (MOST_PERIODS + 1, 8, "2026-W05", ""),
        (365, 13, "2026-01", ""),
        (365 * 5, MOST_PERIODS, "2027-05", "and 16 earlier months"),
    ],
)
def test_periods_are_days_or_weeks_or_months(days: int, count: int, first: str, more: str) -> None:
    day = date(2026, 1, 31)
    scope = Scope(None, day, day + timedelta(days=days - 1))
    periods, left_out = periods_of(scope)
    assert (len(periods), periods[0].name, left_out) == (count, first, more)
    assert periods[-1].last_day == scope.last_day
    assert all(before.last_day + timedelta(days=1) == after.first_day for before, after in pairwise(periods))
