-- report: email_link
-- grain: sent_day, account, campaign_id, url
-- reads: fact.event, fact.leg, fact.message
-- params: days (date[], null: every day)
-- why: which links of a campaign work; a link is what stands before query and fragment, because those tell recipients
--      apart, and at most 500 characters of it, because no index takes longer keys
with
clicked_leg as (
    select
        message.message_key,
        message.sent_day,
        message.account,
        coalesce(message.campaign_id, '(none)') as campaign_id,
        leg.leg_key
    from fact.message as message
    inner join fact.leg as leg on leg.message_key = message.message_key
    where
        message.channel = 'email'
        and message.is_clicked
        and leg.first_clicked_at is not null
        and message.sent_day is not null
        and (
            %(days)s::date[] is null
            or (message.days && %(days)s::date[] and message.sent_day = any (%(days)s::date[]))
        )
),

click as (
    select
        clicked_leg.message_key,
        clicked_leg.sent_day,
        clicked_leg.account,
        clicked_leg.campaign_id,
        left(split_part(split_part(event.url, '?', 1), '#', 1), 500) as url,
        event.is_machine is true as is_machine
    from clicked_leg
    inner join fact.event as event on event.leg_key = clicked_leg.leg_key and event.event_type = 'clicked'
),

link_of_message as (
    select
        sent_day,
        account,
        campaign_id,
        coalesce(nullif(url, ''), '(none)') as url,
        count(*) as click_count,
        bool_or(not is_machine) as is_clicked_human
    from click
    group by message_key, sent_day, account, campaign_id, coalesce(nullif(url, ''), '(none)')
)

select
    sent_day,
    account,
    campaign_id,
    url,
    sum(click_count)::bigint as click_count,
    count(*) as unique_click_count,
    count(*) filter (where is_clicked_human) as unique_human_click_count
from link_of_message
group by sent_day, account, campaign_id, url
