-- The queries of `waybill rejected`: rejected records and their files.

-- name: newest
-- The newest rejected records.
-- params: all (also resolved ones), feed, account (null: all), limit
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
    r.raw
from private.rejected_record as r
left join ops.object as o using (object_id)
where
    (%(rejected_id)s::bigint is null or r.rejected_id = %(rejected_id)s)
    and (%(all)s or r.resolved_load_id is null)
    and (%(feed)s::text is null or r.feed = %(feed)s)
    and (%(account)s::text is null or r.account = %(account)s)
order by r.rejected_id desc
limit %(limit)s;
