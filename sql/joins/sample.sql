-- Messages of one UTC day that did not join, in order of time, with their ids.
-- params: account, channel, gateway, day, from_at (the earliest time; null: any), is_unseen (true: hand-overs without
-- an event of the gateway; false: messages of the gateway without a dispatch), sample (how many)
with
sampled as (
    select message.message_key, message.dispatch_id, message.campaign_id, message.sent_at
    from fact.message as message
    inner join fact.counted_join as counted on counted.message_key = message.message_key
    where
        message.account = %(account)s
        and message.channel = %(channel)s
        and coalesce(message.provider, '(none)') = %(gateway)s
        -- the local days that may overlap the UTC day, so that the index on days is used
        and message.days && array[%(day)s::date - 1, %(day)s::date, %(day)s::date + 1]
        and message.sent_at >= greatest(%(day)s::date::timestamp at time zone 'UTC', %(from_at)s::timestamptz)
        and message.sent_at < (%(day)s::date + 1)::timestamp at time zone 'UTC'
        and case when %(is_unseen)s then counted.handed_over_unseen else counted.gateway_message_undispatched end = 1
    order by message.sent_at, message.message_key
    limit %(sample)s
)

select
    sampled.dispatch_id,
    sampled.campaign_id,
    sampled.sent_at,
    (
        select min(leg.provider_message_id)
        from fact.leg as leg
        where leg.message_key = sampled.message_key and leg.provider <> 'dispatch'
    ) as provider_message_id,
    (
        select min(event.provider_message_id)
        from fact.leg as leg
        inner join fact.event as event on event.leg_key = leg.leg_key
        where
            leg.message_key = sampled.message_key
            and leg.provider = 'dispatch'
            -- only the partitions that can contain it
            and event.event_key >= fact.key_floor(sampled.sent_at - interval '1 day')
            and event.event_key < fact.key_floor(sampled.sent_at + interval '31 days')
    ) as named_message_id
from sampled
order by sampled.sent_at, sampled.message_key
