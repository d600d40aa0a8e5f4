-- report: message_cost_daily
-- grain: sent_day, account, channel, provider, campaign_id, country, currency
-- reads: fact.leg, fact.message
-- params: days (date[], null: every day)
-- why: what each gateway charged for the messages of a day, in its own currency; prices often come days later
with
priced_leg as (
    select
        message.sent_day,
        message.account,
        message.channel,
        leg.provider,
        coalesce(message.campaign_id, '(none)') as campaign_id,
        coalesce(message.country, '(none)') as country,
        coalesce(leg.currency, '(none)') as currency,
        leg.price
    from fact.message as message
    inner join fact.leg as leg on leg.message_key = message.message_key
    where
        leg.price is not null
        and message.sent_day is not null
        and (
            %(days)s::date[] is null
            or (message.days && %(days)s::date[] and message.sent_day = any (%(days)s::date[]))
        )
)

select
    sent_day,
    account,
    channel,
    provider,
    campaign_id,
    country,
    currency,
    count(*) as priced_leg_count,
    trim_scale(sum(price)) as cost
from priced_leg
group by sent_day, account, channel, provider, campaign_id, country, currency
