-- report: campaign_daily
-- grain: targeted_day, account, channel, campaign_id
-- reads: fact.message
-- params: days (date[], null: every day)
-- why: how many messages were meant to go out, and what became of each of them; a message that was not sent counts on
--      the day of its first event, which is the only one of its days
with
targeted_message as (
    select
        coalesce(sent_day, days[1]) as targeted_day,
        account,
        channel,
        coalesce(campaign_id, '(none)') as campaign_id,
        sent_day is not null as is_sent,
        state,
        case when state = 'bounced' then failure_class end as bounce_class,
        is_opened,
        is_opened_human,
        is_clicked,
        is_clicked_human,
        is_spam_reported,
        is_unsubscribed,
        not_sent_category
    from fact.message
    where
        %(days)s::date[] is null
        or (days && %(days)s::date[] and coalesce(sent_day, days[1]) = any (%(days)s::date[]))
)

select
    targeted_day,
    account,
    channel,
    campaign_id,
    count(*) as targeted,
    count(*) filter (where is_sent) as sent,
    count(*) filter (where state = 'delivered') as delivered,
    count(*) filter (where bounce_class in ('invalid', 'hard_bounce')) as bounced_hard,
    count(*) filter (where bounce_class in ('soft_bounce', 'blocked')) as bounced_soft,
    count(*) filter (where state = 'not_delivered') as not_delivered,
    count(*) filter (where state = 'in_gateway') as in_gateway,
    count(*) filter (where is_opened) as opened,
    count(*) filter (where is_opened_human) as opened_human,
    count(*) filter (where is_clicked) as clicked,
    count(*) filter (where is_clicked_human) as clicked_human,
    count(*) filter (where is_spam_reported) as spam_reported,
    count(*) filter (where is_unsubscribed) as unsubscribed,
    count(*) filter (where state = 'not_sent') as not_sent,
    count(*) filter (where not_sent_category = 'internally_suppressed') as not_sent_internally_suppressed,
    count(*) filter (where not_sent_category = 'incomplete_or_invalid') as not_sent_incomplete_or_invalid,
    count(*) filter (where not_sent_category = 'system_error') as not_sent_system_error,
    count(*) filter (where not_sent_category = 'other') as not_sent_other,
    count(*) filter (where state = 'in_progress') as in_progress
from targeted_message
group by targeted_day, account, channel, campaign_id
