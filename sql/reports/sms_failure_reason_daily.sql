-- report: sms_failure_reason_daily
-- grain: sent_day, account, provider, campaign_id, country, failure_class, failure_reason, provider_code
-- reads: fact.event, fact.message
-- params: days (date[], null: every day)
-- why: the reasons of the undelivered messages of sms_activity_daily; each message counts once, with its deciding
--      failure; a message that was canceled without a failure has no reason
with
failed_sms as (
    select
        sent_day,
        account,
        coalesce(provider, '(none)') as provider,
        coalesce(campaign_id, '(none)') as campaign_id,
        coalesce(country, '(none)') as country,
        failure_key
    from fact.message
    where
        channel = 'sms'
        and state in ('bounced', 'not_delivered')
        and sent_day is not null
        and (
            %(days)s::date[] is null
            or (days && %(days)s::date[] and sent_day = any (%(days)s::date[]))
        )
),

failed_sms_with_reason as (
    select
        failed_sms.sent_day,
        failed_sms.account,
        failed_sms.provider,
        failed_sms.campaign_id,
        failed_sms.country,
        coalesce(failure.failure_class, '(none)') as failure_class,
        coalesce(failure.failure_reason, '(none)') as failure_reason,
        coalesce(failure.provider_code, '(none)') as provider_code
    from failed_sms
    left join fact.event as failure on failure.event_key = failed_sms.failure_key
)

select
    sent_day,
    account,
    provider,
    campaign_id,
    country,
    failure_class,
    failure_reason,
    provider_code,
    count(*) as message_count
from failed_sms_with_reason
group by sent_day, account, provider, campaign_id, country, failure_class, failure_reason, provider_code
