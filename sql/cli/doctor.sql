-- The queries of `waybill doctor`.

-- name: migration_table
-- Whether the table of migrations exists (a row), and whether this login may read it.
select c.oid, has_table_privilege(c.oid, 'select') and has_schema_privilege(n.oid, 'usage') as is_readable
from pg_catalog.pg_class as c
inner join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
where n.nspname = 'ops' and c.relname = 'migration';

-- name: offset_changes
-- The hours at which Postgres changes the offset of a zone. Only days that begin and end with different offsets are
-- searched hour by hour.
-- params: zone, first, until
with
day as (
    select at, extract(epoch from (at at time zone %(zone)s) - (at at time zone 'UTC')) as seconds
    from generate_series(%(first)s::timestamptz, %(until)s::timestamptz, interval '1 day') as at
),

changing as (
    select at, seconds <> lead(seconds) over (order by at) as is_changing
    from day
),

hour as (
    select changing.at + n * interval '1 hour' as at
    from changing
    cross join generate_series(0, 24) as n
    where changing.is_changing
),

offset_of_hour as (
    select distinct at, extract(epoch from (at at time zone %(zone)s) - (at at time zone 'UTC')) as seconds
    from (
        select at from hour
        union all
        select %(first)s
    ) as hour
),

change as (
    select at, seconds, lag(seconds) over (order by at) as before
    from offset_of_hour
)

select at, seconds::integer
from change
where before is distinct from seconds and at < %(until)s
order by at;

-- name: stopped_loads
-- Stopped loads without a later published load of the same feed and account. A stopped unload changed nothing.
select s.load_id, s.feed, s.account, s.stop_reason
from ops.load as s
where
    s.status = 'stopped'
    and s.kind <> 'unload'
    and not exists (
        select from ops.load as l
        where l.account = s.account and l.feed = s.feed and l.status = 'published' and l.load_id > s.load_id
    )
order by s.load_id desc;
