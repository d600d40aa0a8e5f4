-- report: sms_activity_daily
-- grain: sent_day, account, provider, campaign_id, country
-- reads: fact.message
-- params: days (date[], null: every day)
-- why: text messages by the day they were sent, and their current state
with
sent_sms as (
    select
        sent_day,
        account,
        coalesce(provider, '(none)') as provider,
        coalesce(campaign_id, '(none)') as campaign_id,
        coalesce(country, '(none)') as country,
        state,
        segments
    from fact.message
    where
        channel = 'sms'
        and sent_day is not null
        and (
            %(days)s::date[] is null
            or (days && %(days)s::date[] and sent_day = any (%(days)s::date[]))
        )
)

select
    sent_day,
    account,
    provider,
    campaign_id,
    country,
    count(*) as sent,
    count(*) filter (where state = 'delivered') as delivered,
    count(*) filter (where state in ('bounced', 'not_delivered')) as undelivered,
    count(*) filter (where state = 'in_gateway') as in_gateway,
    coalesce(sum(segments), 0)::bigint as segments
from sent_sms
group by sent_day, account, provider, campaign_id, country
