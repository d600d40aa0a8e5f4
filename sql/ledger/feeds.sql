-- How complete each feed is.

-- name: behind
-- The feeds that are not complete until a time, without those that only the dispatch log names.
-- params: until
select account, feed, complete_until
from report.freshness
where
    (complete_until is null or complete_until < %(until)s)
    and (account, feed) in (
        select account, feed from ops.object
        union
        select account, feed from ops.load
        union
        select account, feed from ops.watermark
    )
order by account, feed;
