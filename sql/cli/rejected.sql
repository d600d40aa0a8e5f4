-- The queries of `waybill rejected`: rejected records and their files.

-- name: newest
-- The newest rejected records.
-- params: all (also resolved and dismissed ones), feed, account (null: all), limit
select
    r.rejected_id,
    r.account,
    r.feed,
    r.reason,
    o.source as file,
    o.path as object,
    r.position,
    r.seen_count,
    r.rejected_at,
    r.load_id,
    r.acceptable_at,
    r.resolved_load_id,
    r.dismissed_at,
    r.dismissed_by,
    r.dismissed_because,
    r.raw
from private.rejected_record as r
left join ops.object as o using (object_id)
where
    (%(rejected_id)s::bigint is null or r.rejected_id = %(rejected_id)s)
    and (%(all)s or (r.resolved_load_id is null and r.dismissed_at is null))
    and (%(feed)s::text is null or r.feed = %(feed)s)
    and (%(account)s::text is null or r.account = %(account)s)
order by r.rejected_id desc
limit %(limit)s;

-- name: dismiss
-- Marks unresolved rejected records as needing no care.
-- params: rejected_ids, load_id, reason (null: any), by, because
update private.rejected_record
set dismissed_at = clock_timestamp(), dismissed_by = %(by)s, dismissed_because = %(because)s
where
    resolved_load_id is null
    and dismissed_at is null
    and (%(rejected_ids)s::bigint[] is null or rejected_id = any (%(rejected_ids)s))
    and (%(load_id)s::bigint is null or load_id = %(load_id)s)
    and (%(reason)s::text is null or reason = %(reason)s);
