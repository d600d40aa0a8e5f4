-- What a publish reads and writes besides events, legs and messages.
-- staged_rejected, staged_recipient: temporary views of the staging tables of the load.

-- name: objects_of_range
-- Every published object with keys of a replayed range; and objects without a key that have unresolved rejected
-- records: every record was rejected, or the object was held back. Objects that are left out do not count.
-- params: slugs (feeds of the provider), account (null: all), first, until (of the range), taken_back (objects that an
-- unload takes back)
select
    o.object_id,
    o.account,
    o.feed,
    o.sha256,
    o.path,
    o.byte_count,
    o.landed_at,
    o.source
from ops.object as o
left join lateral (
    select
        bool_or(i.first_key < %(until)s and i.last_key >= %(first)s) as is_in_range,
        bool_or(i.first_key is not null) as has_keys
    from ops.load_object as i
    inner join ops.load as l on l.load_id = i.load_id
    where i.object_id = o.object_id and l.status = 'published'
) as published on true
where
    o.feed = any(%(slugs)s)
    and o.left_out is null
    and o.object_id <> all (%(taken_back)s::bigint[])
    and (%(account)s::text is null or o.account = %(account)s)
    and (
        published.is_in_range
        or (
            published.has_keys is not true
            and exists (
                select from private.rejected_record as r
                where r.object_id = o.object_id and r.resolved_load_id is null
            )
        )
    )
order by o.object_id;

-- name: write_recipients
-- Stores the clear addresses of the load, each once, except those of people who were erased.
insert into private.recipient (recipient_key, account, address)
select recipient_key, min(account), min(address)
from staged_recipient as s
where not exists (select from private.erased_recipient as e where e.recipient_key = s.recipient_key)
group by recipient_key
order by recipient_key
on conflict do nothing;

-- name: keep_rejects
-- Stores the rejected records, equal bytes once, with the number of times that the load contains them.
-- params: load_id, objects (null: all)
insert into private.rejected_record as r (
    account, feed, sha256, reason, raw, object_id, position, load_id, seen_count, acceptable_at
)
select distinct on (account, feed, sha256)
    account,
    feed,
    sha256,
    reason,
    raw,
    object_id,
    position,
    %(load_id)s,
    count(*) over (partition by account, feed, sha256),
    acceptable_at
from staged_rejected
where %(objects)s::bigint[] is null or object_id = any(%(objects)s)
order by account, feed, sha256, record_no
on conflict (account, feed, sha256) do update
set acceptable_at = excluded.acceptable_at
where r.acceptable_at is distinct from excluded.acceptable_at and r.resolved_load_id is null;

-- name: resolve_reject
-- Marks a rejected record as resolved by this load.
-- params: load_id, account, feed, sha256
update private.rejected_record
set resolved_load_id = %(load_id)s
where resolved_load_id is null and account = %(account)s and feed = %(feed)s and sha256 = %(sha256)s;
