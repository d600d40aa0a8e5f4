-- Counts of messages that should join and did not, on the last days with such messages: one row per account, feed,
-- channel and gateway. The sums for warnings exclude days that are not due, because the other side may still arrive.
-- params: days (how many), account (null: all)
with
recent as (
    select
        account,
        feed,
        channel,
        gateway,
        day,
        is_due,
        handed_over,
        handed_over_unseen,
        gateway_message,
        gateway_message_undispatched,
        max(day) over (partition by account, feed, channel, gateway) as newest_day
    from fact.join_day
    where
        handed_over + gateway_message > 0
        and (%(account)s::text is null or account = %(account)s)
)

select
    account,
    feed,
    channel,
    gateway,
    min(day) as from_day,
    max(day) filter (where handed_over_unseen > 0) as unseen_day,
    sum(handed_over)::bigint as handed_over,
    sum(handed_over_unseen)::bigint as handed_over_unseen,
    max(day) filter (where gateway_message_undispatched > 0) as undispatched_day,
    sum(gateway_message)::bigint as gateway_message,
    sum(gateway_message_undispatched)::bigint as gateway_message_undispatched,
    coalesce(sum(gateway_message) filter (where is_due), 0)::bigint as gateway_message_due,
    coalesce(sum(gateway_message_undispatched) filter (where is_due), 0)::bigint as gateway_message_undispatched_due
from recent
where day > newest_day - %(days)s
group by account, feed, channel, gateway
order by account, feed, channel, gateway
