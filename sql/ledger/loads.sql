-- Loads in the ledger.

-- name: note_feed
-- Stores the attributes of a feed if they changed.
-- params: feed, kind, provider, channel, lateness
insert into ops.feed as noted (feed, kind, provider, channel, lateness)
values (%(feed)s, %(kind)s, %(provider)s, %(channel)s, %(lateness)s)
on conflict (feed) do update
set kind = excluded.kind, provider = excluded.provider, channel = excluded.channel, lateness = excluded.lateness
where
    (noted.kind, noted.provider, noted.channel, noted.lateness)
    is distinct from (excluded.kind, excluded.provider, excluded.channel, excluded.lateness);

-- name: split_off
-- Inserts the row of a load that takes some objects out of another load.
-- params: load_id (of the other load), digest
insert into ops.load (account, feed, kind, digest, rules_version, code_version, status, pull_id, started_at)
select account, feed, kind, %(digest)s, rules_version, code_version, 'staging', pull_id, started_at
from ops.load
where load_id = %(load_id)s
returning load_id;

-- name: published_with
-- The objects that are published under these rules, each with its last load. Objects with rejected records that may be
-- accepted by now are left out.
-- params: rules_version, objects, ahead (reject reason of a record with a future time)
select o.object_id, max(o.load_id)
from ops.load_object as o
inner join ops.load as l on l.load_id = o.load_id
inner join ops.object as b on b.object_id = o.object_id and b.feed = l.feed
where
    l.status = 'published'
    and b.left_out is null
    and l.rules_version = %(rules_version)s
    and o.object_id = any(%(objects)s)
    and not exists (
        select from private.rejected_record as r
        where
            r.object_id = o.object_id
            and r.resolved_load_id is null
            and r.dismissed_at is null
            and (r.acceptable_at <= clock_timestamp() or (r.acceptable_at is null and r.reason = %(ahead)s))
    )
group by o.object_id;

-- name: warnings
-- The rules of a load's suite that failed and only warn.
-- params: subject (`load 7`)
select v.suite || '.' || (rule ->> 'rule'), rule ->> 'description', rule ->> 'unexpected_count'
from ops.validation as v
cross join lateral jsonb_array_elements(v.results) as rule
where
    v.subject = %(subject)s
    and not (rule ->> 'success')::boolean
    and rule ->> 'severity' = 'warning'
    and not coalesce((rule ->> 'is_broken')::boolean, false)
order by v.validation_id, 1;

-- name: unfinished
-- The loads that have a staging table or have not ended, except those that wait for their next step.
-- params: schema (of the staging tables), statuses (of loads that have not ended)
select substring(tablename from '^load_(\d+)')::bigint
from pg_tables
where schemaname = %(schema)s and tablename ~ '^load_\d+(_|$)'
union
select load_id from ops.load where status = any (%(statuses)s)
except
select load_id from ops.load where status = any (%(statuses)s) and kept_until > clock_timestamp();

-- name: objects_with_keys
-- Those of some objects that gave an event in a published load.
-- params: object_ids
select o.object_id
from ops.load_object as o
inner join ops.load as l on l.load_id = o.load_id
where l.status = 'published' and o.first_key is not null and o.object_id = any (%(object_ids)s)
group by o.object_id
