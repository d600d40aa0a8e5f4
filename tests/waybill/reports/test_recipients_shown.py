"""Each role sees the right form of recipients in the detail views, and no trick reveals a clear address."""

from collections.abc import Iterator

import psycopg2
import pytest
from psycopg2.extensions import connection as Connection  # noqa: N812

from tests.conftest import Warehouse
from tests.waybill.reports.facts import Facts, at, key
from waybill.reports.catalogue import all_reports

ADDRESSES = {f"person.{number}@example.com": "email" for number in range(40)} | {
    f"+49151000000{number:02}": channel for number, channel in [(1, "sms"), (2, "ivr")]
}
BI_READER, SUPPORT_READER = "waybill_bi_reader", "waybill_support_reader"
LOGINS = {BI_READER: "a_bi_login", SUPPORT_READER: "a_support_login"}
EMAIL_TIMES = ("first_bounced_at", "first_blocked_at", "first_invalid_at", "first_spam_reported_at", "last_failure_at")


def recipient_key(address: str) -> bytes:
    return key(address).bytes * 2


@pytest.fixture
def messages(warehouse: Warehouse, facts: Facts) -> Warehouse:
    """Write a message to each address; every email is in all views of emails."""
    for address, channel in ADDRESSES.items():
        columns = {"is_spam_reported": True} if channel == "email" else {}
        facts.message(address, channel, ["2026-03-02"], recipient_key=recipient_key(address), **columns)
        facts.leg(address, channel, **(dict.fromkeys(EMAIL_TIMES, at("2026-03-02 10:00")) if columns else {}))
        facts.event(address, "processed", at("2026-03-02 10:00"), channel=channel)
        facts.run(
            "insert into private.recipient (recipient_key, account, address) values (%s, 'acme', %s)",
            (recipient_key(address), address),
        )
    facts.run("analyze")
    return warehouse


@pytest.fixture
def logins(messages: Warehouse) -> Iterator[dict[str, Connection]]:
    """Return a connection for each role, with its own login, like those of BI tools."""
    owner = messages.connect()
    owner.autocommit = True
    opened = {}
    with owner.cursor() as cursor:
        for role, login in LOGINS.items():
            cursor.execute(f"drop role if exists {login}")
            cursor.execute(f"create role {login} login in role {role}")
            opened[role] = psycopg2.connect(messages.url, user=login)
            opened[role].autocommit = True
    yield opened
    for connection in opened.values():
        connection.close()
    with owner.cursor() as cursor:
        for login in LOGINS.values():
            cursor.execute(f"drop owned by {login} cascade")
            cursor.execute(f"drop role {login}")
    owner.close()


def recipients(connection: Connection, view: str, condition: str = "true", parameters: object = None) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(f"select recipient from report.{view} where {condition} order by 1", parameters)
        return [recipient for (recipient,) in cursor.fetchall()]


@pytest.mark.parametrize("view", [report.name for report in all_reports() if report.is_detail])
def test_only_support_staff_see_clear_recipients(logins: dict[str, Connection], view: str) -> None:
    channel = {"sms_activity": "sms", "ivr_activity": "ivr"}.get(view, "email")
    clear = sorted(address for address, of_channel in ADDRESSES.items() if of_channel == channel)
    assert recipients(logins[SUPPORT_READER], view) == clear
    masks = {"p***@example.com"} if channel == "email" else {"+49***" + clear[0][-2:]}
    shown = recipients(logins[BI_READER], view)
    assert (set(shown), len(shown)) == (masks, len(clear))


def test_the_reporter_and_the_owner_of_the_views_see_masks(messages: Warehouse) -> None:
    for role in ("waybill_reporter", "waybill_owner"):
        connection = messages.connect(role)
        assert set(recipients(connection, "email_activity")) == {"p***@example.com"}, role
        connection.close()


def test_only_support_staff_can_search_by_the_clear_recipient(
    logins: dict[str, Connection],
) -> None:
    address = "person.7@example.com"
    assert recipients(logins[SUPPORT_READER], "email_activity", "recipient = %s", (address,)) == [address]
    assert recipients(logins[SUPPORT_READER], "email_activity", "recipient = %s", ("p***@example.com",)) == []
    for condition in ("recipient = %s", "recipient like %s", "recipient = any (array[%s])", "recipient ~ %s"):
        assert recipients(logins[BI_READER], "email_activity", condition, (address,)) == []
    assert len(recipients(logins[BI_READER], "email_activity", "recipient = 'p***@example.com'")) == 40


def test_a_view_of_support_staff_shows_masks_to_others(messages: Warehouse, logins: dict[str, Connection]) -> None:
    with logins[SUPPORT_READER].cursor() as cursor:
        cursor.execute(f"set role {LOGINS[SUPPORT_READER]}")
    owner = messages.connect()
    owner.autocommit = True
    with owner.cursor() as cursor:
        cursor.execute(f"create schema desk authorization {LOGINS[SUPPORT_READER]}")
        cursor.execute(f"grant usage on schema desk to {LOGINS[BI_READER]}")
    with logins[SUPPORT_READER].cursor() as cursor:
        cursor.execute("create view desk.mine as select * from report.email_activity")
        cursor.execute(f"grant select on desk.mine to {LOGINS[BI_READER]}")
        cursor.execute("select min(recipient) from desk.mine")
        assert cursor.fetchone() == ("person.0@example.com",)
    with logins[BI_READER].cursor() as cursor:
        cursor.execute("select min(recipient), max(recipient) from desk.mine")
        assert cursor.fetchone() == ("p***@example.com", "p***@example.com")
    owner.close()


TELL = """
create function pg_temp.leak(value text) returns boolean
language plpgsql {volatility} {strict} cost 0.0001 parallel safe
as $$ begin raise notice 'leaked %', value; return true; end $$;
create function pg_temp.tell_both(value text, other text) returns boolean language plpgsql immutable cost 0.0001
as $$ begin raise notice 'leaked % %', value, other; return true; end $$;
create operator pg_temp.=== (
    function = pg_temp.tell_both, leftarg = text, rightarg = text, restrict = eqsel, join = eqjoinsel
);
create operator pg_temp.<<< (function = pg_temp.tell_both, leftarg = text, rightarg = text, restrict = scalarltsel);
"""
TRICKS = (
    "select count(*) from report.{view} where pg_temp.leak(recipient)",
    "select count(*) from report.{view} where pg_temp.leak(recipient) and recipient = 'person.7@example.com'",
    "select count(*) from report.{view} where pg_temp.leak(recipient) and sent_day = '2026-03-02' and account = 'acme'",
    "select count(*) from report.{view} where pg_temp.leak(recipient || '') or pg_temp.leak(message_key::text)",
    # the planner itself calls operators with the most common values and the bounds of a column
    "select count(*) from report.{view} where recipient operator(pg_temp.===) 'x'",
    "explain select count(*) from report.{view} where recipient operator(pg_temp.<<<) 'x'",
    "select count(*) from report.{view} as one inner join report.{view} as two"
    " on one.recipient operator(pg_temp.===) two.recipient",
    "select pg_temp.leak(to_jsonb(one)::text) from report.{view} as one",
    "select pg_temp.leak(one::text) from report.{view} as one where one is not null",
    "select count(*) from report.{view} where (recipient || 'x')::integer = 1",
    "select recipient::integer from report.{view}",
    "select pg_temp.leak(string_agg(recipient, ' ')) from report.{view}",
    "with one as materialized (select * from report.{view}) select pg_temp.leak(recipient) from one",
    "select pg_temp.leak(recipient) from report.{view} order by recipient limit 3",
    "select * from report.{view} where case when recipient > 'a' then pg_temp.leak(recipient) end",
    "explain (analyze, verbose) select recipient from report.{view} where pg_temp.leak(recipient)",
)
FORBIDDEN = (
    "select address from private.recipient",
    "select recipient from private.message_with_recipient",
    "select recipient from private.message_detail",
    "set role waybill_support_reader",
    "set role waybill_owner",
    "select stavalues1 from pg_statistic",
    "create or replace view report.email_activity as select 1",
    "create function report.mine() returns integer language sql return 1",
    "copy (select address from private.recipient) to stdout",
)


@pytest.mark.parametrize("view", ["email_activity", "bounced_email", "spam_email"])
@pytest.mark.parametrize(
    ("volatility", "strict"), [("immutable", "strict"), ("immutable", ""), ("stable", "strict"), ("volatile", "")]
)
def test_no_trick_of_a_bi_reader_reveals_a_clear_address(
    logins: dict[str, Connection], view: str, volatility: str, strict: str
) -> None:
    connection = logins[BI_READER]
    leaked = []
    with connection.cursor() as cursor:
        cursor.execute(TELL.format(volatility=volatility, strict=strict))
        for index_only in ("on", "off"):
            cursor.execute(f"set enable_seqscan = {index_only}")
            for trick in TRICKS:
                try:
                    cursor.execute(trick.format(view=view))
                    leaked += [str(cursor.fetchall())]
                except psycopg2.Error as error:
                    leaked.append(str(error))
                leaked += connection.notices
                connection.notices.clear()
    everything = "\n".join(leaked)
    assert everything.count("leaked p***@example.com") > 100, "no trick ran"
    assert "person." not in everything.replace("'person.7@example.com'", "")


TYPES = ("uuid", "jsonb", "text", "timestamptz", "timestamp", "interval", "int8")
"""Of variables and casts in functions that act as the owner."""


def test_types_of_a_bi_reader_are_not_used_with_the_rights_of_the_owner(logins: dict[str, Connection]) -> None:
    with logins[BI_READER].cursor() as cursor:
        cursor.execute("create temporary table leaked (who text, address text); grant all on leaked to public")
        for name in TYPES:
            cursor.execute(
                f"create function pg_temp.tell_{name}(value pg_catalog.{name}) returns boolean language plpgsql as"
                " $$ begin insert into pg_temp.leaked select current_user, address from private.recipient;"
                " return true; end $$;"
                f"create domain pg_temp.{name} as pg_catalog.{name} check (pg_temp.tell_{name}(value))"
            )
        for view in [report.name for report in all_reports() if report.is_detail]:
            cursor.execute(f"select count(*), count(timeline), count(failure_class) from report.{view}")
            assert cursor.fetchone()[0] > 0
        cursor.execute("select * from leaked")
        assert cursor.fetchall() == []


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_a_bi_reader_has_no_other_access_to_addresses(logins: dict[str, Connection], statement: str) -> None:
    with logins[BI_READER].cursor() as cursor, pytest.raises(psycopg2.errors.InsufficientPrivilege):
        cursor.execute(statement)


@pytest.mark.parametrize(
    ("address", "mask"),
    [
        ("anna@gmail.com", "a***@gmail.com"),
        ("a.very.long.name@gmail.com", "a***@gmail.com"),
        ("ann@gmail.com", "***@gmail.com"),
        ("ab@gmail.com", "***@gmail.com"),
        ("a@gmail.com", "***@gmail.com"),
        ('"who@home"@example.org', '"***@example.org'),
        ("ünal@example.org", "ü***@example.org"),
        ("+4915112345678", "+49***78"),
        ("+14155552671", "+1***71"),
        ("+358401234567", "+358***67"),
        ("+12345678", "+1***78"),
        ("+1234567", "+***"),
        ("+12345", "+***"),
        ("+", "+***"),
        ("+49 not digits", "+***"),
        ("12345", "***"),
        ("sip:anna@example.org", "s***@example.org"),
        ("client:anna", "***"),
        ("@example.org", "***"),
        ("", "***"),
    ],
)
def test_masked_recipients_have_the_expected_form(warehouse: Warehouse, address: str, mask: str) -> None:
    assert warehouse.rows("select fact.masked(%s)", (address,)) == [(mask,)]


def test_an_erased_or_missing_recipient_is_null_for_every_role(messages: Warehouse, logins: dict, facts: Facts) -> None:
    facts.message("nobody", "email", ["2026-03-02"], dispatch_id="d1")
    facts.leg("nobody", "email")
    facts.run("delete from private.recipient where address = 'person.3@example.com'")
    for connection in logins.values():
        assert recipients(connection, "email_activity", "dispatch_id = 'd1'") == [None]
        assert len(recipients(connection, "email_activity", "recipient is null")) == 2
