-- suite: communication_activity_daily
-- about: the rows that a build will publish in report.communication_activity_daily

-- rule: messages_counted
-- severity: critical
-- description: Every row counts at least one message.
-- expect: every row
-- instead of: counts_not_negative, not_all_zero
message_count > 0

-- rule: status_on_its_channel
-- severity: critical
-- description: The status belongs to the channel.
-- expect: every row
channel is null
or event_status is null
or (
    channel = 'email'
    and event_status in (
        'Processed', 'Delivered', 'Open', 'Click', 'Spam', 'Dropped', 'Bounced', 'Blocked', 'Invalid'
    )
)
or (channel = 'sms' and event_status in ('Delivered', 'Undelivered'))
or (channel = 'ivr' and event_status in ('Completed', 'No-Answer', 'Failed'))

-- rule: within_deliverability
-- severity: critical
-- description: A message that was first processed or delivered on a day has a leg that was.
-- expect: no row
select event_day, account
from (
    select
        event_day,
        account,
        sum(message_count) filter (where event_status = 'Processed') as processed,
        sum(message_count) filter (where event_status = 'Delivered') as delivered
    from {batch}
    where channel = 'email'
    group by event_day, account
) as message
left join (
    select
        event_day,
        account,
        sum(processed_count) as processed_count,
        sum(delivered_count) as delivered_count
    from {email_deliverability_daily}
    group by event_day, account
) as leg using (event_day, account)
where
    coalesce(processed, 0) > coalesce(processed_count, 0)
    or coalesce(delivered, 0) > coalesce(delivered_count, 0)

-- rule: deliveries_match_events
-- severity: critical
-- description: First deliveries of each day equal those in the events (in full builds).
-- expect: control counts of a full build
case when channel = 'email' and event_status = 'Delivered' then message_count end as email_delivered,
case when channel = 'sms' and event_status = 'Delivered' then message_count end as sms_delivered
