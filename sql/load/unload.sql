-- What an unload reads and writes besides events, legs and messages.

-- name: taken_back
-- The objects of published loads, with the range of their event keys and the number of their rejected records.
-- params: load_id
select
    o.object_id,
    o.account,
    o.feed,
    o.sha256,
    o.path,
    o.byte_count,
    o.landed_at,
    o.source,
    k.first_key,
    k.last_key
from ops.load_object as t
inner join ops.object as o on o.object_id = t.object_id
cross join lateral (
    select min(i.first_key::text)::uuid as first_key, max(i.last_key::text)::uuid as last_key
    from ops.load_object as i
    inner join ops.load as l on l.load_id = i.load_id
    where i.object_id = o.object_id and l.status = 'published'
) as k
where t.load_id = %(load_id)s and o.left_out is null
order by o.object_id;

-- name: loads_of_objects
-- The published loads all of whose objects are taken back. A replay stays: it read objects of many loads.
-- params: object_ids
select l.load_id
from ops.load as l
where
    l.status = 'published'
    and l.kind = 'load'
    and exists (
        select from ops.load_object as o
        where o.load_id = l.load_id and o.object_id = any (%(object_ids)s)
    )
    and not exists (
        select from ops.load_object as o
        where o.load_id = l.load_id and o.object_id <> all (%(object_ids)s)
    )
order by l.load_id;

-- name: sharing_rejects
-- The other published objects that may contain rejected records of the objects that are taken back: of the same
-- account and feed, and of a load that rejected records. Empty if the taken objects have no rejected record.
-- params: object_ids
select distinct
    o.object_id,
    o.account,
    o.feed,
    o.sha256,
    o.path,
    o.byte_count,
    o.landed_at,
    o.source
from (
    select distinct account, feed
    from private.rejected_record
    where object_id = any (%(object_ids)s)
) as r
inner join ops.object as o on o.account = r.account and o.feed = r.feed
inner join ops.load_object as i on i.object_id = o.object_id
inner join ops.load as l on l.load_id = i.load_id
where
    o.left_out is null
    and o.object_id <> all (%(object_ids)s)
    and l.status = 'published'
    and l.rejected_count > 0
order by o.object_id;

-- name: remove_rejects
-- Removes the rejected records that the taken objects contained first. The next step of the publish stores those that
-- other objects contain, too.
-- params: object_ids
delete from private.rejected_record where object_id = any (%(object_ids)s);

-- name: forget_resolved
-- Marks the records that the taken loads had resolved as unresolved. The publish resolves again what others contain.
-- params: load_ids
update private.rejected_record set resolved_load_id = null where resolved_load_id = any (%(load_ids)s);

-- name: note_loads
-- Marks the taken loads in the ledger, and returns them. A load that another unload took meanwhile is not returned.
-- params: load_ids, reason
update ops.load
set status = 'unloaded', stop_reason = %(reason)s
where load_id = any (%(load_ids)s) and status = 'published'
returning load_id;
