-- report: delivery_latency_daily
-- grain: sent_day, account, channel, provider, mailbox_provider
-- reads: fact.leg, fact.message
-- params: days (date[], null: every day)
-- why: the time until a message is delivered, and until a person opens it; from the first event of any gateway, which
--      can be the delivery itself, so no time is below 0
with
awaited_message as (
    select
        message.sent_day,
        message.account,
        message.channel,
        coalesce(message.provider, '(none)') as provider,
        coalesce(message.mailbox_provider, '(none)') as mailbox_provider,
        min(leg.first_event_at) as began_at,
        min(leg.first_delivered_at) as delivered_at,
        min(leg.first_human_opened_at) as human_opened_at
    from fact.message as message
    inner join fact.leg as leg on leg.message_key = message.message_key
    where
        message.channel in ('email', 'sms')
        and leg.provider <> 'dispatch'
        and not (leg.is_copy and message.ignores_copies)
        and message.sent_day is not null
        and (
            %(days)s::date[] is null
            or (message.days && %(days)s::date[] and message.sent_day = any (%(days)s::date[]))
        )
    group by message.message_key
    having min(leg.first_delivered_at) is not null or min(leg.first_human_opened_at) is not null
),

wait as (
    select
        sent_day,
        account,
        channel,
        provider,
        mailbox_provider,
        extract(epoch from delivered_at - began_at) as delivery_seconds,
        extract(epoch from human_opened_at - began_at) as human_open_seconds
    from awaited_message
)

select
    sent_day,
    account,
    channel,
    provider,
    mailbox_provider,
    count(delivery_seconds) as delivery_count,
    percentile_disc(0.5) within group (order by delivery_seconds)::numeric(12, 3) as delivery_p50_seconds,
    percentile_disc(0.9) within group (order by delivery_seconds)::numeric(12, 3) as delivery_p90_seconds,
    percentile_disc(0.99) within group (order by delivery_seconds)::numeric(12, 3) as delivery_p99_seconds,
    count(human_open_seconds) as human_open_count,
    percentile_disc(0.5) within group (order by human_open_seconds)::numeric(12, 3) as human_open_p50_seconds,
    percentile_disc(0.9) within group (order by human_open_seconds)::numeric(12, 3) as human_open_p90_seconds,
    percentile_disc(0.99) within group (order by human_open_seconds)::numeric(12, 3) as human_open_p99_seconds
from wait
group by sent_day, account, channel, provider, mailbox_provider
