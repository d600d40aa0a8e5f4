-- report: ivr_activity_daily
-- grain: sent_day, account, provider, campaign_id, country
-- reads: fact.message
-- params: days (date[], null: every day)
-- why: calls by the day they were placed, and how they ended; a call that is neither completed nor in the gateway
--      counts by its latest no_answer, busy, failed or canceled; without any (another feed used its id), it failed
with
sent_call as (
    select
        sent_day,
        account,
        coalesce(provider, '(none)') as provider,
        coalesce(campaign_id, '(none)') as campaign_id,
        coalesce(country, '(none)') as country,
        state,
        case when state in ('bounced', 'not_delivered') then coalesce(unanswered_type, 'failed') end as unanswered_type,
        answered_by,
        duration_seconds
    from fact.message
    where
        channel = 'ivr'
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
    count(*) filter (where state = 'delivered') as completed,
    count(*) filter (where unanswered_type in ('no_answer', 'busy')) as no_answer,
    count(*) filter (where unanswered_type in ('failed', 'canceled')) as failed,
    count(*) filter (where state = 'in_gateway') as in_gateway,
    count(*) filter (where unanswered_type = 'busy') as busy,
    count(*) filter (where unanswered_type = 'canceled') as canceled,
    count(*) filter (where answered_by = 'human') as human,
    count(*) filter (where answered_by = 'fax' or left(answered_by, 7) = 'machine') as machine,
    coalesce(sum(duration_seconds), 0)::bigint as duration_seconds
from sent_call
group by sent_day, account, provider, campaign_id, country
