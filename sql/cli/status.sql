-- The queries of `waybill status`.

-- name: feeds
-- The progress of each feed, and how much waits.
select
    account,
    feed,
    complete_until,
    last_loaded_at,
    last_event_at,
    extract(epoch from clock_timestamp() - last_event_at)::bigint as lag_seconds,
    unattributed_count,
    unknown_count,
    rejected_count,
    handed_over_count,
    handed_over_unseen_count,
    gateway_message_count,
    gateway_message_undispatched_count
from report.freshness
order by account, feed;

-- name: last_build
-- The last published build.
select build_id, started_at, as_of, report_timezone, days_built, rows_changed, code_version
from report.build
order by build_id desc
limit 1;

-- name: account_notices
-- The notices of providers about the accounts, the newest first.
select account, feed, word, detail, noticed_at
from ops.account_notice
order by noticed_at desc, account, feed, word;

-- name: last_loads
-- The ten newest loads.
select
    load_id,
    account,
    feed,
    kind,
    status,
    read_count,
    loaded_count,
    duplicate_count,
    rejected_count,
    started_at,
    ended_at,
    stop_reason
from ops.load
order by load_id desc
limit 10;

-- name: last_validations
-- The latest validations of the twenty newest subjects, with the rules that failed. A load that was unloaded is none
-- of them: nothing of it is there.
with
newest as (
    select subject
    from ops.validation
    where subject not in (select 'load ' || load_id from ops.load where status = 'unloaded')
    group by subject
    order by max(validation_id) desc
    limit 20
)

select
    validation_id,
    subject,
    suite,
    success,
    checked_at,
    coalesce(
        (
            select jsonb_agg(rule - 'description' - 'success')
            from jsonb_array_elements(results) as rule
            where not (rule ->> 'success')::boolean
        ),
        '[]'
    ) as failed_rules
from ops.validation
inner join newest using (subject)
order by validation_id desc;
