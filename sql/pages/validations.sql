-- The queries of the page of validation results.

-- name: recent
-- The last result of each suite for the newest loads and builds, the newest first.
-- params: count (loads and builds)
with
newest as (
    select subject, max(validation_id) as last_id
    from ops.validation
    group by subject
    order by last_id desc
    limit %(count)s
),

latest as (
    select distinct on (v.subject, v.suite) n.last_id, v.subject, v.suite, v.success, v.checked_at, v.results
    from newest as n
    inner join ops.validation as v on v.subject = n.subject
    order by v.subject, v.suite, v.validation_id desc
)

select subject, suite, success, checked_at, results
from latest
order by last_id desc, suite;

-- name: load
-- What a load contains: its feed and account, and how many events.
-- params: number (load_id)
select feed || ' of ' || account, coalesce(mapped_count, (staged ->> 'sighting_count')::bigint), 'events'
from ops.load
where load_id = %(number)s;

-- name: build
-- What a build contains: its days, and how many rows it changed.
-- params: number (build_id)
select case when is_full then 'all days' else cardinality(days_built) || ' days' end, rows_changed, 'rows changed'
from ops.build
where build_id = %(number)s
