-- report: communication_activity_daily
-- grain: event_day, account, channel, event_status
-- reads: fact.leg, fact.message
-- params: days (date[], null: every day), report_timezone
-- why: one row per status, for questions such as how many messages were delivered yesterday; a message counts once per
--      status, on the day of the first such event of any of its legs, so the statuses overlap
with
first_of_message as (
    select
        message.message_key,
        message.account,
        message.channel,
        min(leg.first_processed_at) as processed_at,
        min(leg.first_delivered_at) as delivered_at,
        min(leg.first_opened_at) as opened_at,
        min(leg.first_clicked_at) as clicked_at,
        min(leg.first_spam_reported_at) as spam_reported_at,
        min(leg.first_dropped_at) as dropped_at,
        min(leg.first_bounced_at) as bounced_at,
        min(leg.first_blocked_at) as blocked_at,
        min(leg.first_invalid_at) as invalid_at,
        min(leg.first_undelivered_at) as undelivered_at,
        min(leg.first_completed_at) as completed_at,
        min(leg.first_no_answer_at) as no_answer_at,
        min(leg.first_failed_at) as failed_at
    from fact.message as message
    inner join fact.leg as leg on leg.message_key = message.message_key
    where
        (%(days)s::date[] is null or message.days && %(days)s::date[])
        and not (leg.is_copy and message.ignores_copies)
    group by message.message_key
),

status_of_message as (
    select
        (counted.occurred_at at time zone %(report_timezone)s)::date as event_day,
        first_of_message.account,
        first_of_message.channel,
        counted.event_status
    from first_of_message
    cross join lateral (
        values
        ('email', 'Processed', first_of_message.processed_at),
        ('email', 'Delivered', first_of_message.delivered_at),
        ('email', 'Open', first_of_message.opened_at),
        ('email', 'Click', first_of_message.clicked_at),
        ('email', 'Spam', first_of_message.spam_reported_at),
        ('email', 'Dropped', first_of_message.dropped_at),
        ('email', 'Bounced', first_of_message.bounced_at),
        ('email', 'Blocked', first_of_message.blocked_at),
        ('email', 'Invalid', first_of_message.invalid_at),
        ('sms', 'Delivered', first_of_message.delivered_at),
        ('sms', 'Undelivered', least(first_of_message.undelivered_at, first_of_message.dropped_at)),
        ('ivr', 'Completed', first_of_message.completed_at),
        ('ivr', 'No-Answer', first_of_message.no_answer_at),
        ('ivr', 'Failed', first_of_message.failed_at)
    ) as counted (channel, event_status, occurred_at)
    where
        counted.channel = first_of_message.channel
        and counted.occurred_at is not null
)

select
    event_day,
    account,
    channel,
    event_status collate "C" as event_status,
    count(*) as message_count
from status_of_message
where %(days)s::date[] is null or event_day = any (%(days)s::date[])
group by event_day, account, channel, event_status
