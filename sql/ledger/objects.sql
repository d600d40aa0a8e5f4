-- Landed objects in the ledger.

-- name: record
-- Stores a landed object; the same object keeps its object_id, and gets its source if that was not known.
-- params: account, feed, sha256, path, byte_count, landed_at, source
insert into ops.object as o (account, feed, sha256, path, byte_count, landed_at, source)
values (%(account)s, %(feed)s, %(sha256)s, %(path)s, %(byte_count)s, %(landed_at)s, %(source)s)
on conflict (account, feed, sha256) do update
set source = excluded.source
where o.source is null and excluded.source is not null;

-- name: of_pull
-- The objects that a pull landed, each once.
-- params: pull_id
select distinct o.object_id, o.account, o.feed, o.sha256, o.path, o.byte_count, o.landed_at, o.source
from ops.pull_page as p
inner join ops.object as o on o.object_id = p.object_id
where p.pull_id = %(pull_id)s
order by o.object_id
;

-- name: first_day_to_read
-- The first day of a table of the dispatch log that a pull reads: `days` before the last loaded day, or the first day
-- whose newest object is not loaded; null if nothing of the table is loaded.
-- Objects of a table have its days in source.
-- params: account, feed, of_table (start of the source), days (int)
with newest as (
    select distinct on (source)
        object_id,
        substring(source from length(%(of_table)s) + 1 for 10) as day
    from ops.object
    where account = %(account)s and feed = %(feed)s and starts_with(source, %(of_table)s)
    order by source, object_id desc
),

days as (
    select
        newest.day::date as day,
        exists (select from ops.load_object as l where l.object_id = newest.object_id) as is_loaded
    from newest
    where newest.day ~ '^\d\d\d\d-\d\d-\d\d$'
)

select
    case
        when bool_or(is_loaded)
            then least(min(day) filter (where not is_loaded), max(day) filter (where is_loaded) - %(days)s)
    end
from days
