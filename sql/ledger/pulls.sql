-- Pulls in the ledger.

-- name: last_of_window
-- The last pull of a window, and whether it can be resumed: it has not ended and is not too old.
-- params: account, feed, from_at, until_at, within (interval)
select pull_id, pulled_at is null and started_at > clock_timestamp() - %(within)s as is_unfinished
from ops.pull
where account = %(account)s and feed = %(feed)s and from_at = %(from_at)s and until_at = %(until_at)s
order by pull_id desc
limit 1;

-- name: interrupted
-- The window of the last pull of a feed, if that began at the watermark and has not ended.
-- params: account, feed, within (interval), complete_until (null: no watermark yet), lateness (interval), until_at
select from_at, until_at
from ops.pull
where
    pull_id = (select max(pull_id) from ops.pull where account = %(account)s and feed = %(feed)s)
    and pulled_at is null
    and started_at > clock_timestamp() - %(within)s
    and from_at = coalesce(%(complete_until)s, until_at) - %(lateness)s
    and until_at <= %(until_at)s;

-- name: pages
-- The landed pages of one list of a pull, in order.
-- params: pull_id, listing
select p.page_no, p.next_link, o.account, o.feed, o.sha256, o.path, o.byte_count, o.landed_at
from ops.pull_page as p
inner join ops.object as o on o.object_id = p.object_id
where p.pull_id = %(pull_id)s and p.listing = %(listing)s
order by p.page_no;

-- name: busy_before
-- The last complete pull with many records, most of whose window is in the window of this empty pull.
-- params: pull_id, busy (records)
select b.from_at, b.until_at, b.record_count
from ops.pull as p
inner join ops.pull as b
    on b.account = p.account
    and b.feed = p.feed
    and b.committed_at is not null
    and b.record_count >= %(busy)s
    and least(b.until_at, p.until_at) - greatest(b.from_at, p.from_at) > (b.until_at - b.from_at) / 2
where p.pull_id = %(pull_id)s and p.record_count = 0
order by b.pull_id desc
limit 1;

-- name: left_behind
-- The earlier pulls of the same feed and account with unpublished pages, because the pull or its loads died.
-- params: pull_id, died (stop_reason of a load whose process died)
select p.pull_id
from ops.pull as own
inner join ops.pull as p
    on p.account = own.account and p.feed = own.feed and p.pull_id < own.pull_id and p.committed_at is null
where
    own.pull_id = %(pull_id)s
    and not exists (
        select from ops.load as l
        where
            l.pull_id = p.pull_id
            and (
                l.status in ('staging', 'staged', 'validated')
                or (l.status = 'stopped' and l.stop_reason <> %(died)s)
            )
    )
    and exists (
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
order by p.pull_id;
