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
