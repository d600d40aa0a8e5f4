"""Grants, comments and views of other users on the reports survive rebuilds."""

from tests.conftest import Warehouse
from tests.waybill.flow.test_rebuild import a_delivered_email, run, three_days
from tests.waybill.reports.facts import Facts

REBUILDS = 10
"""Of each kind."""
ANALYST, DESK = "an_analyst", "a_desk"

RELATIONS = """
    select c.oid, c.relname, c.relacl::text, c.relfilenode, obj_description(c.oid, 'pg_class'),
        (select string_agg(attname || coalesce(attacl::text, '') || coalesce(col_description(c.oid, attnum), ''), '/')
        from pg_attribute where attrelid = c.oid), pg_get_viewdef(c.oid)
    from pg_class as c
    where c.relnamespace in ('report'::regnamespace, 'desk'::regnamespace) and c.relkind in ('r', 'v')
    order by c.oid
"""


def test_grants_comments_and_views_of_other_users_survive_rebuilds(warehouse: Warehouse, facts: Facts) -> None:
    three_days(facts)
    run(warehouse, full=True)
    admin = warehouse.connect()
    admin.autocommit = True
    with admin.cursor() as cursor:
        for role in (ANALYST, DESK):
            cursor.execute(f"drop role if exists {role}")
            cursor.execute(f"create role {role}")
        cursor.execute(f"grant waybill_bi_reader to {ANALYST}")
        cursor.execute(f"create schema desk authorization {ANALYST}")
        cursor.execute(f"grant usage on schema report to {DESK}")
        cursor.execute(f"grant select on report.email_campaign to {DESK}")
        cursor.execute(f"grant select (account, state) on report.email_activity to {DESK}")
        cursor.execute("comment on column report.email_campaign.sent is 'as our own dashboard explains it'")
        cursor.execute(f"set role {ANALYST}")
        cursor.execute("create view desk.weekly as select sum(sent) as sent from report.email_campaign")
        cursor.execute("create view desk.bounces as select state, count(*) from report.bounced_email group by state")
        cursor.execute(
            "create view desk.all_sent as select count(*) from report.email_activity where sent_day is not null"
        )
        cursor.execute("reset role")
    try:
        before = warehouse.rows(RELATIONS)
        assert len(before) > 20
        for number in range(REBUILDS):
            a_delivered_email(facts, f"more{number}", "2026-03-03")
            facts.pending("2026-03-03")
            assert run(warehouse).rows_changed > 0
            facts.run("update report.email_campaign set sent = 0")
            assert run(warehouse, full=True).rows_changed > 0
        assert warehouse.rows(RELATIONS) == before
        with admin.cursor() as cursor:
            cursor.execute(f"set role {ANALYST}")
            cursor.execute("select (select sent from desk.weekly), (select count from desk.all_sent)")
            assert cursor.fetchone() == (6 + REBUILDS, 6 + REBUILDS)
            cursor.execute("select state, count from desk.bounces")
            assert cursor.fetchall() == [("bounced", 3)]
            cursor.execute(f"set role {DESK}")
            cursor.execute("select sum(sent) from report.email_campaign")
            assert cursor.fetchone() == (6 + REBUILDS,)
            cursor.execute("select count(account) from report.email_activity where state = 'delivered'")
            assert cursor.fetchone() == (3 + REBUILDS,)
    finally:
        with admin.cursor() as cursor:
            cursor.execute("reset role")
            for role in (ANALYST, DESK):
                cursor.execute(f"drop owned by {role} cascade")
                cursor.execute(f"drop role {role}")
        admin.close()
