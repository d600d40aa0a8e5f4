-- How many objects of a feed have events whose keys are made in the way of before, and their first and last key.
-- params: feed, since (the first rules version with the keys of today)
with published as (
    select
        o.object_id,
        max(l.rules_version) as version,
        min(i.first_key::text collate "C") as first_key,
        max(i.last_key::text collate "C") as last_key
    from ops.object as o
    inner join ops.load_object as i on i.object_id = o.object_id
    inner join ops.load as l on l.load_id = i.load_id
    where o.feed = %(feed)s and l.feed = o.feed and l.status = 'published' and o.left_out is null
    group by o.object_id
)

select count(*), min(first_key), max(last_key)
from published
where version < %(since)s and first_key is not null
