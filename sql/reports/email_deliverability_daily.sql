-- report: email_deliverability_daily
-- grain: event_day, account, provider, campaign_id, mailbox_provider
-- reads: fact.leg, fact.message
-- params: days (date[], null: every day), report_timezone
-- why: how gateways and mail servers accepted emails on a day, whenever they were sent; an email of two gateways counts
--      once for each
with
built_leg as (
    select
        leg.account,
        leg.provider,
        coalesce(message.campaign_id, '(none)') as campaign_id,
        coalesce(message.mailbox_provider, '(none)') as mailbox_provider,
        leg.first_processed_at,
        leg.first_deferred_at,
        leg.first_delivered_at,
        leg.first_spam_reported_at,
        leg.first_dropped_at,
        leg.last_failure_at,
        leg.last_failure_class
    from fact.message as message
    inner join fact.leg as leg on leg.message_key = message.message_key
    where
        (%(days)s::date[] is null or message.days && %(days)s::date[])
        and leg.channel = 'email'
        and leg.provider <> 'dispatch'
),

-- Each leg on the day of its first event of each kind; failures once, on the day and in the class of the latest.
occurrence as (
    select
        (counted.occurred_at at time zone %(report_timezone)s)::date as event_day,
        built_leg.account,
        built_leg.provider,
        built_leg.campaign_id,
        built_leg.mailbox_provider,
        counted.kind
    from built_leg
    cross join lateral (
        values
        ('processed', built_leg.first_processed_at),
        ('deferred', built_leg.first_deferred_at),
        ('delivered', built_leg.first_delivered_at),
        ('spam_report', built_leg.first_spam_reported_at),
        ('dropped', built_leg.first_dropped_at),
        (built_leg.last_failure_class, built_leg.last_failure_at)
    ) as counted (kind, occurred_at)
    where counted.occurred_at is not null
)

select
    event_day,
    account,
    provider,
    campaign_id,
    mailbox_provider,
    count(*) filter (where kind = 'processed') as processed_count,
    count(*) filter (where kind = 'deferred') as deferred_count,
    count(*) filter (where kind = 'delivered') as delivered_count,
    count(*) filter (where kind = 'spam_report') as spam_report_count,
    count(*) filter (where kind = 'hard_bounce') as hard_bounce_count,
    count(*) filter (where kind = 'soft_bounce') as soft_bounce_count,
    count(*) filter (where kind in ('hard_bounce', 'soft_bounce')) as bounced_count,
    count(*) filter (where kind = 'blocked') as blocked_count,
    count(*) filter (where kind = 'invalid') as invalid_count,
    count(*) filter (where kind = 'gateway_suppressed') as gateway_suppressed_count,
    count(*) filter (where kind = 'unknown') as unclassified_count,
    count(*) filter (where kind = 'dropped') as dropped_count
from occurrence
where %(days)s::date[] is null or event_day = any (%(days)s::date[])
group by event_day, account, provider, campaign_id, mailbox_provider
