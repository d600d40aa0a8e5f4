-- suite: delivery_latency_daily
-- about: the rows that a build will publish in report.delivery_latency_daily

-- rule: messages_counted
-- severity: critical
-- description: Every row counts a delivery or an open; counts are neither null nor negative.
-- expect: every row
-- instead of: counts_not_negative, not_all_zero
delivery_count >= 0 and human_open_count >= 0 and delivery_count + human_open_count > 0

-- rule: channel_known
-- severity: critical
-- description: Only emails and text messages are delivered or opened.
-- expect: every row
channel in ('email', 'sms')

-- rule: percentiles_where_counted
-- severity: critical
-- description: A percentile is null exactly if its count is 0.
-- expect: every row
(delivery_count > 0) = (delivery_p50_seconds is not null)
and (delivery_count > 0) = (delivery_p90_seconds is not null)
and (delivery_count > 0) = (delivery_p99_seconds is not null)
and (human_open_count > 0) = (human_open_p50_seconds is not null)
and (human_open_count > 0) = (human_open_p90_seconds is not null)
and (human_open_count > 0) = (human_open_p99_seconds is not null)

-- rule: percentiles_in_order
-- severity: critical
-- description: 0 <= p50 <= p90 <= p99.
-- expect: every row
(
    delivery_p50_seconds is null
    or (
        0 <= delivery_p50_seconds
        and delivery_p50_seconds <= delivery_p90_seconds
        and delivery_p90_seconds <= delivery_p99_seconds
    )
)
and (
    human_open_p50_seconds is null
    or (
        0 <= human_open_p50_seconds
        and human_open_p50_seconds <= human_open_p90_seconds
        and human_open_p90_seconds <= human_open_p99_seconds
    )
)

-- rule: messages_match_activity
-- severity: critical
-- description: Counts are at most the messages sent, and at least those that email_campaign and sms_activity_daily
--     show as delivered or opened by people.
-- expect: no row
select sent_day, account, channel, provider, mailbox_provider
from {batch} as latency
full join (
    select
        sent_day,
        account,
        'email' as channel,
        provider,
        mailbox_provider,
        sum(sent) as sent,
        sum(delivered - opened - spam_reported) as least_delivered,
        0 as least_reached,
        sum(opened_human) as most_opened,
        sum(opened_human - clicked_human) as least_opened
    from {email_campaign}
    group by sent_day, account, provider, mailbox_provider
    union all
    select
        sent_day,
        account,
        'sms' as channel,
        provider,
        '(none)' as mailbox_provider,
        sum(sent),
        0,
        sum(delivered),
        sum(delivered),
        0
    from {sms_activity_daily}
    group by sent_day, account, provider
) as activity using (sent_day, account, channel, provider, mailbox_provider)
where
    coalesce(delivery_count, 0) not between coalesce(least_delivered, 0) and coalesce(sent, 0)
    or coalesce(human_open_count, 0) not between coalesce(least_opened, 0) and coalesce(most_opened, 0)
    or coalesce(delivery_count, 0) + coalesce(human_open_count, 0) < coalesce(least_reached, 0)

-- rule: deliveries_match_events
-- severity: critical
-- description: Messages with a delivery equal those in the events (in full builds).
-- expect: control counts of a full build
delivery_count as delivered_of_sent
