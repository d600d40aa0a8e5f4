-- How far each API feed is complete.

-- name: commit_pull
-- Marks the window of a pull as complete if the pull ended unbroken and everything it landed is published or left out.
-- params: pull_id
update ops.pull as p
set committed_at = clock_timestamp()
where
    p.pull_id = %(pull_id)s
    and p.pulled_at is not null
    and p.committed_at is null
    and p.broken = '{}'
    and not exists (
        select from ops.pull_page as g
        where
            g.pull_id = p.pull_id
            and not exists (
                select from ops.load_object as o
                inner join ops.load as l on l.load_id = o.load_id
                where o.object_id = g.object_id and l.status = 'published'
            )
            and not exists (
                select from ops.object as b
                where b.object_id = g.object_id and b.left_out is not null
            )
    )
returning p.account, p.feed, p.from_at, p.until_at;

-- name: begin
-- Inserts the watermark of a feed with its first complete window.
-- params: account, feed, from_at, until_at
insert into ops.watermark (account, feed, complete_from, complete_until)
values (%(account)s, %(feed)s, %(from_at)s, %(until_at)s)
on conflict (account, feed) do nothing;

-- name: lock
-- Locks the watermark of a feed, so that two windows that end at the same time both count.
-- params: account, feed
select from ops.watermark where account = %(account)s and feed = %(feed)s for update;

-- name: advance
-- Extends the watermark by all complete windows that touch it.
-- params: account, feed
with
windows as (
    select complete_from as from_at, complete_until as until_at
    from ops.watermark
    where account = %(account)s and feed = %(feed)s
    union all
    select p.from_at, p.until_at
    from ops.pull as p
    inner join ops.watermark as m
        on m.account = p.account
        and m.feed = p.feed
        and (p.until_at > m.complete_until or p.from_at < m.complete_from)
    where p.account = %(account)s and p.feed = %(feed)s and p.committed_at is not null
),

stretches as (
    select unnest(range_agg(tstzrange(from_at, until_at))) as stretch
    from windows
)

update ops.watermark as w
set complete_from = lower(stretch), complete_until = upper(stretch)
from stretches
where
    w.account = %(account)s
    and w.feed = %(feed)s
    and stretch @> w.complete_from
    and stretch <> tstzrange(w.complete_from, w.complete_until);
