-- Findings of a load that an operator should see.

-- name: words_published
-- The provider's words without a mapping in the events of a load's objects, the most frequent first.
-- params: load_id, limit
with
held as (
    select l.account, l.feed, min(o.first_key::text)::uuid as first_key, max(o.last_key::text)::uuid as last_key
    from ops.load as l
    inner join ops.load_object as o on o.load_id = l.load_id
    where l.load_id = %(load_id)s
    group by l.account, l.feed
)

select coalesce(e.provider_event, '(none)'), count(*)
from held
inner join fact.event as e
    on e.account = held.account and e.feed = held.feed and e.event_key between held.first_key and held.last_key
where e.event_type = 'unknown'
group by 1
order by 2 desc, 1
limit %(limit)s;

-- name: rejected
-- Why records of a load were rejected, by reason and object, the most frequent first.
-- params: load_id, limit
select r.reason, o.path, count(*), min(r.position)
from private.rejected_record as r
left join ops.object as o on o.object_id = r.object_id
where r.load_id = %(load_id)s
group by r.reason, o.path
order by 3 desc, 1, 2
limit %(limit)s;

-- name: note_account
-- Keeps the newest notice of a provider about an account, by its word.
-- params: word, detail, noticed_at, object_id (the object that contains it)
insert into ops.account_notice as n (account, feed, word, detail, noticed_at)
select account, feed, %(word)s, %(detail)s, %(noticed_at)s
from ops.object
where object_id = %(object_id)s
on conflict (account, feed, word) do update
set detail = excluded.detail, noticed_at = excluded.noticed_at
where
    (n.noticed_at, coalesce(n.detail, '') collate "C")
    < (excluded.noticed_at, coalesce(excluded.detail, '') collate "C");
