-- report: email_failure_reason_daily
-- grain: event_day, account, provider, campaign_id, mailbox_provider, failure_class, failure_reason
-- reads: fact.leg, fact.message
-- params: days (date[], null: every day), report_timezone
-- why: what to do about failed emails depends on the reason; the reason of an email is that of its latest failure, so
--      the reasons of a class add up to the count in email_deliverability_daily
with
failed_leg as (
    select
        (leg.last_failure_at at time zone %(report_timezone)s)::date as event_day,
        leg.account,
        leg.provider,
        coalesce(message.campaign_id, '(none)') as campaign_id,
        coalesce(message.mailbox_provider, '(none)') as mailbox_provider,
        leg.last_failure_class as failure_class,
        leg.last_failure_reason as failure_reason
    from fact.message as message
    inner join fact.leg as leg on leg.message_key = message.message_key
    where
        (%(days)s::date[] is null or message.days && %(days)s::date[])
        and message.channel = 'email'
        and leg.last_failure_at is not null
)

select
    event_day,
    account,
    provider,
    campaign_id,
    mailbox_provider,
    failure_class,
    failure_reason,
    count(*) as leg_count
from failed_leg
where %(days)s::date[] is null or event_day = any (%(days)s::date[])
group by event_day, account, provider, campaign_id, mailbox_provider, failure_class, failure_reason
