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
-- whose newest object is neither loaded nor left out; null if nothing of the table is loaded.
-- Objects of a table have its days in source.
-- params: account, feed, of_table (start of the source), days (int)
with newest as (
    select distinct on (source)
        object_id,
        left_out,
        substring(source from length(%(of_table)s) + 1 for 10) as day
    from ops.object
    where account = %(account)s and feed = %(feed)s and starts_with(source, %(of_table)s)
    order by source, object_id desc
),

days as (
    select
        newest.day::date as day,
        newest.left_out is not null
        or exists (select from ops.load_object as l where l.object_id = newest.object_id) as is_loaded
    from newest
    where newest.day ~ '^\d\d\d\d-\d\d-\d\d$'
)

select
    case
        when bool_or(is_loaded)
            then least(min(day) filter (where not is_loaded), max(day) filter (where is_loaded) - %(days)s)
    end
from days;

-- name: leave_out
-- Marks objects as unloaded or given up.
-- params: object_ids, left_out, by, because
update ops.object
set
    left_out = %(left_out)s,
    left_out_at = clock_timestamp(),
    left_out_by = %(by)s,
    left_out_because = %(because)s
where object_id = any (%(object_ids)s);

-- name: count_again
-- Marks objects that were left out and are loaded now as objects that count.
-- params: object_ids
update ops.object
set left_out = null, left_out_at = null, left_out_by = null, left_out_because = null
where object_id = any (%(object_ids)s) and left_out is not null;

-- name: unloaded_since
-- Which of these objects were unloaded after a load of them began.
-- params: object_ids, load_id
select o.object_id
from ops.object as o
inner join ops.load as l on l.load_id = %(load_id)s
where o.object_id = any (%(object_ids)s) and o.left_out = 'unloaded' and o.left_out_at > l.started_at;

-- name: by_path
-- The landed object of a path, whether a published load contains it, and whether records of it were rejected.
-- params: path
select
    o.object_id,
    o.account,
    o.feed,
    o.sha256,
    o.path,
    o.byte_count,
    o.landed_at,
    o.source,
    o.left_out,
    exists (
        select from ops.load_object as i
        inner join ops.load as l on l.load_id = i.load_id
        where i.object_id = o.object_id and l.status = 'published'
    ) as is_published,
    exists (
        select from private.rejected_record as r
        where r.object_id = o.object_id
    ) as has_rejects
from ops.object as o
where o.path = %(path)s
for update of o;

-- name: dismiss_rejects
-- Marks the rejected records of an object that is given up as needing no care.
-- params: object_id, by, because
update private.rejected_record
set dismissed_at = clock_timestamp(), dismissed_by = %(by)s, dismissed_because = %(because)s
where object_id = %(object_id)s and resolved_load_id is null and dismissed_at is null;

-- name: forget_broken
-- Removes what pulls noted of an unreadable object that is given up; returns the pulls that landed it.
-- params: object_id, path
update ops.pull as p
set broken = array(select reason from unnest(p.broken) as reason where strpos(reason, %(path)s) = 0)
where
    p.committed_at is null
    and exists (
        select from ops.pull_page as g
        where g.pull_id = p.pull_id and g.object_id = %(object_id)s
    )
returning p.pull_id
