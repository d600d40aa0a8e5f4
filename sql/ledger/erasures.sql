-- People who were erased.

-- name: accounts
-- All accounts of the warehouse.
select account from ops.object
union
select account from fact.live_count
union
select account from private.recipient
union
select account from private.rejected_record
order by account;

-- name: note
-- Notes the keys of erased people. A key that is noted stays as it is.
-- params: keys, accounts (of each key)
insert into private.erased_recipient (recipient_key, account)
select key, account
from unnest(%(keys)s::bytea[], %(accounts)s::text[]) as noted (key, account)
order by key
on conflict do nothing;

-- name: unfinished
-- Loads that may have staging tables.
select load_id from ops.load where status in ('staging', 'staged', 'validated') order by load_id;

-- name: rejected
-- The rejected records that have their bytes.
select rejected_id, account, raw from private.rejected_record where raw <> '' order by rejected_id;

-- name: clear_rejected
-- Removes the bytes of a rejected record. If the same record was rejected again since its person was erased, the older
-- row is removed as a whole.
-- params: rejected_id, sha256 (keyed hash that takes the place of the digest)
with twice as (
    delete from private.rejected_record as r
    using private.rejected_record as again
    where
        r.rejected_id = %(rejected_id)s
        and again.account = r.account
        and again.feed = r.feed
        and again.sha256 = %(sha256)s
        and again.rejected_id <> r.rejected_id
    returning r.rejected_id
)

update private.rejected_record
set raw = '', sha256 = %(sha256)s
where rejected_id = %(rejected_id)s and not exists (select from twice);

-- name: texts
-- The texts of events that may contain an address or a number.
select account, texts
from (
    select
        account,
        concat_ws(
            ' ', provider_message_id, provider_event_id, dispatch_id, campaign_id, template_id, provider_code,
            status_code, provider_event, provider_reason, not_sent_reason, url, user_agent, scope, tags::text,
            extra::text
        ) as texts
    from fact.event
) as event
where texts ~ '@|[%](25)*40|[+]\d\d\d\d\d\d\d|=[a-z0-9-]+[.][a-z]'
