-- The queries of the report pages. Their numbers are sums that etl/waybill/pages/figures.py makes.

-- name: state
-- The last published build, why the reports are stale, and how many days wait for a build.
select
    build.as_of,
    coalesce(build.report_timezone, setting.value) as report_timezone,
    (build.as_of at time zone build.report_timezone)::date as as_of_day,
    report_state.stale_reason,
    (select count(distinct day) from ops.changed_day) as pending_count
from ops.report_state as report_state
left join ops.setting as setting on setting.name = 'report_timezone'
left join lateral (
    select as_of, report_timezone
    from report.build
    order by build_id desc
    limit 1
) as build on true;

-- name: days
-- The first and the last local day of the reports.
-- params: account (null: all)
select min(counted.day) as first_day, max(counted.day) as last_day
from (
    select targeted_day as day from report.campaign_daily where %(account)s::text is null or account = %(account)s
    union all
    select event_day from report.email_deliverability_daily where %(account)s::text is null or account = %(account)s
) as counted;

-- name: feeds
-- The progress of each feed.
-- params: account (null: all)
select account, feed, complete_until, last_loaded_at, last_event_at
from report.freshness
where %(account)s::text is null or account = %(account)s
order by account, feed;

-- name: words
-- What the words of reasons mean.
select kind, reason, words from fact.reason;

-- name: comments
-- The comments of the columns of a report.
-- params: report
select attname, col_description(attrelid, attnum)
from pg_attribute
where attrelid = %(report)s::regclass and attnum > 0 and not attisdropped
order by attnum;

-- name: failed_rules
-- The rules that failed for the newest builds and loads.
-- params: account (null: all)
select newest.subject || ': ' || newest.suite || '.' || (rule ->> 'rule') as text
from (
    select distinct on (validation.subject, validation.suite)
        validation.validation_id, validation.subject, validation.suite, validation.results
    from ops.validation as validation
    left join ops.load as load on validation.subject = 'load ' || load.load_id
    where
        validation.validation_id > (select max(validation_id) - 200 from ops.validation)
        and (%(account)s::text is null or load.load_id is null or load.account = %(account)s)
    order by validation.subject, validation.suite, validation.validation_id desc
) as newest
cross join lateral jsonb_array_elements(newest.results) as rule
where not (rule ->> 'success')::boolean
order by newest.validation_id desc
limit 50;

-- name: notices
-- What providers report about the accounts.
-- params: account (null: all)
select account || ', ' || feed || ': ' || word || coalesce(': ' || detail, '') as text
from ops.account_notice
where %(account)s::text is null or account = %(account)s
order by noticed_at desc, account, feed, word
limit 50;
