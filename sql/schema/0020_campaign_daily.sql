-- Totals: what became of the messages that were meant to go out, by day, account, channel and campaign; and two sums.
create table report.campaign_daily (
    targeted_day date not null,
    account text collate "C" not null,
    channel text collate "C" not null,
    campaign_id text collate "C" not null,
    targeted bigint not null,
    sent bigint not null,
    delivered bigint not null,
    bounced_hard bigint not null,
    bounced_soft bigint not null,
    not_delivered bigint not null,
    in_gateway bigint not null,
    opened bigint not null,
    opened_human bigint not null,
    clicked bigint not null,
    clicked_human bigint not null,
    spam_reported bigint not null,
    unsubscribed bigint not null,
    not_sent bigint not null,
    not_sent_internally_suppressed bigint not null,
    not_sent_incomplete_or_invalid bigint not null,
    not_sent_system_error bigint not null,
    not_sent_other bigint not null,
    in_progress bigint not null,
    primary key (targeted_day, account, channel, campaign_id)
);
comment on table report.campaign_daily is
    'What has become of the messages of a campaign, by the day on which they were sent or should have been sent. '
    'targeted = sent + not_sent + in_progress; sent = delivered + bounced_hard + bounced_soft + not_delivered + '
    'in_gateway.';
comment on column report.campaign_daily.targeted_day is
    'Local day on which the message was sent. A message that was not sent: local day of its first event.';
comment on column report.campaign_daily.account is 'Account (organisation).';
comment on column report.campaign_daily.channel is 'email, sms or ivr.';
comment on column report.campaign_daily.campaign_id is 'Campaign, or (none).';
comment on column report.campaign_daily.targeted is
    'Messages that the campaign system or a gateway reported, sent or not (count).';
comment on column report.campaign_daily.sent is
    'Messages that a gateway reported, or that the campaign system handed over (count).';
comment on column report.campaign_daily.delivered is
    'Messages that were delivered; calls that were connected (count). An open, a click, a spam report or an '
    'unsubscribe from an email counts as a delivery.';
comment on column report.campaign_daily.bounced_hard is
    'Messages that bounced with class invalid or hard_bounce (count).';
comment on column report.campaign_daily.bounced_soft is
    'Messages that bounced with class soft_bounce or blocked (count).';
comment on column report.campaign_daily.not_delivered is
    'Messages that the gateway did not send on, or that failed without a known class; calls that were not answered '
    '(count).';
comment on column report.campaign_daily.in_gateway is 'Messages that were sent and have no final result yet (count).';
comment on column report.campaign_daily.opened is
    'Messages with an open or a click, or emails with an unsubscribe (count).';
comment on column report.campaign_daily.opened_human is
    'Like opened, without events that the provider flags as a machine''s (count).';
comment on column report.campaign_daily.clicked is 'Messages with a click, or emails with an unsubscribe (count).';
comment on column report.campaign_daily.clicked_human is
    'Like clicked, without events that the provider flags as a machine''s (count).';
comment on column report.campaign_daily.spam_reported is 'Messages that were reported as spam (count).';
comment on column report.campaign_daily.unsubscribed is 'Messages with an unsubscribe (count).';
comment on column report.campaign_daily.not_sent is 'Messages that the campaign system decided not to send (count).';
comment on column report.campaign_daily.not_sent_internally_suppressed is
    'Messages in not_sent with category internally_suppressed (count).';
comment on column report.campaign_daily.not_sent_incomplete_or_invalid is
    'Messages in not_sent with category incomplete_or_invalid (count).';
comment on column report.campaign_daily.not_sent_system_error is
    'Messages in not_sent with category system_error (count).';
comment on column report.campaign_daily.not_sent_other is 'Messages in not_sent with category other (count).';
comment on column report.campaign_daily.in_progress is 'Messages that the campaign system has not sent yet (count).';

create view report.account_daily as
with
total as (
    select
        targeted_day,
        account,
        channel,
        sum(targeted)::bigint as targeted,
        sum(sent)::bigint as sent,
        sum(delivered)::bigint as delivered,
        sum(bounced_hard)::bigint as bounced_hard,
        sum(bounced_soft)::bigint as bounced_soft,
        sum(not_delivered)::bigint as not_delivered,
        sum(in_gateway)::bigint as in_gateway,
        sum(opened)::bigint as opened,
        sum(opened_human)::bigint as opened_human,
        sum(clicked)::bigint as clicked,
        sum(clicked_human)::bigint as clicked_human,
        sum(spam_reported)::bigint as spam_reported,
        sum(unsubscribed)::bigint as unsubscribed,
        sum(not_sent)::bigint as not_sent,
        sum(not_sent_internally_suppressed)::bigint as not_sent_internally_suppressed,
        sum(not_sent_incomplete_or_invalid)::bigint as not_sent_incomplete_or_invalid,
        sum(not_sent_system_error)::bigint as not_sent_system_error,
        sum(not_sent_other)::bigint as not_sent_other,
        sum(in_progress)::bigint as in_progress
    from report.campaign_daily
    group by targeted_day, account, channel
)

select
    targeted_day,
    account,
    channel,
    targeted,
    sent,
    delivered,
    bounced_hard,
    bounced_soft,
    not_delivered,
    in_gateway,
    opened,
    opened_human,
    clicked,
    clicked_human,
    spam_reported,
    unsubscribed,
    not_sent,
    not_sent_internally_suppressed,
    not_sent_incomplete_or_invalid,
    not_sent_system_error,
    not_sent_other,
    in_progress,
    round(sent::numeric / nullif(targeted, 0), 6)::numeric(7, 6) as sent_rate,
    round(delivered::numeric / nullif(sent, 0), 6)::numeric(7, 6) as delivery_rate,
    round((bounced_hard + bounced_soft)::numeric / nullif(sent, 0), 6)::numeric(7, 6) as bounce_rate,
    round(opened::numeric / nullif(delivered, 0), 6)::numeric(7, 6) as open_rate,
    round(clicked::numeric / nullif(delivered, 0), 6)::numeric(7, 6) as click_rate,
    round(spam_reported::numeric / nullif(delivered, 0), 6)::numeric(7, 6) as spam_rate,
    round(clicked::numeric / nullif(opened, 0), 6)::numeric(7, 6) as click_to_open_rate
from total;
comment on view report.account_daily is
    'What has become of the messages of an account and channel, by the day on which they were sent or should have '
    'been sent: sums of report.campaign_daily, and rates of these sums.';
comment on column report.account_daily.targeted_day is
    'Local day on which the message was sent. A message that was not sent: local day of its first event.';
comment on column report.account_daily.account is 'Account (organisation).';
comment on column report.account_daily.channel is 'email, sms or ivr.';
comment on column report.account_daily.targeted is
    'Messages that the campaign system or a gateway reported, sent or not (count).';
comment on column report.account_daily.sent is
    'Messages that a gateway reported, or that the campaign system handed over (count).';
comment on column report.account_daily.delivered is
    'Messages that were delivered; calls that were connected (count). An open, a click, a spam report or an '
    'unsubscribe from an email counts as a delivery.';
comment on column report.account_daily.bounced_hard is
    'Messages that bounced with class invalid or hard_bounce (count).';
comment on column report.account_daily.bounced_soft is
    'Messages that bounced with class soft_bounce or blocked (count).';
comment on column report.account_daily.not_delivered is
    'Messages that the gateway did not send on, or that failed without a known class; calls that were not answered '
    '(count).';
comment on column report.account_daily.in_gateway is 'Messages that were sent and have no final result yet (count).';
comment on column report.account_daily.opened is
    'Messages with an open or a click, or emails with an unsubscribe (count).';
comment on column report.account_daily.opened_human is
    'Like opened, without events that the provider flags as a machine''s (count).';
comment on column report.account_daily.clicked is 'Messages with a click, or emails with an unsubscribe (count).';
comment on column report.account_daily.clicked_human is
    'Like clicked, without events that the provider flags as a machine''s (count).';
comment on column report.account_daily.spam_reported is 'Messages that were reported as spam (count).';
comment on column report.account_daily.unsubscribed is 'Messages with an unsubscribe (count).';
comment on column report.account_daily.not_sent is 'Messages that the campaign system decided not to send (count).';
comment on column report.account_daily.not_sent_internally_suppressed is
    'Messages in not_sent with category internally_suppressed (count).';
comment on column report.account_daily.not_sent_incomplete_or_invalid is
    'Messages in not_sent with category incomplete_or_invalid (count).';
comment on column report.account_daily.not_sent_system_error is
    'Messages in not_sent with category system_error (count).';
comment on column report.account_daily.not_sent_other is 'Messages in not_sent with category other (count).';
comment on column report.account_daily.in_progress is 'Messages that the campaign system has not sent yet (count).';
comment on column report.account_daily.sent_rate is 'sent / targeted (0..1). Null: targeted is 0.';
comment on column report.account_daily.delivery_rate is 'delivered / sent (0..1). Null: sent is 0.';
comment on column report.account_daily.bounce_rate is '(bounced_hard + bounced_soft) / sent (0..1). Null: sent is 0.';
comment on column report.account_daily.open_rate is 'opened / delivered (0..1). Null: delivered is 0.';
comment on column report.account_daily.click_rate is 'clicked / delivered (0..1). Null: delivered is 0.';
comment on column report.account_daily.spam_rate is 'spam_reported / delivered (0..1). Null: delivered is 0.';
comment on column report.account_daily.click_to_open_rate is 'clicked / opened (0..1). Null: opened is 0.';

create view report.campaign_summary as
with
total as (
    select
        account,
        campaign_id,
        channel,
        min(targeted_day) as first_day,
        max(targeted_day) as last_day,
        sum(targeted)::bigint as targeted,
        sum(sent)::bigint as sent,
        sum(delivered)::bigint as delivered,
        sum(bounced_hard)::bigint as bounced_hard,
        sum(bounced_soft)::bigint as bounced_soft,
        sum(not_delivered)::bigint as not_delivered,
        sum(in_gateway)::bigint as in_gateway,
        sum(opened)::bigint as opened,
        sum(opened_human)::bigint as opened_human,
        sum(clicked)::bigint as clicked,
        sum(clicked_human)::bigint as clicked_human,
        sum(spam_reported)::bigint as spam_reported,
        sum(unsubscribed)::bigint as unsubscribed,
        sum(not_sent)::bigint as not_sent,
        sum(not_sent_internally_suppressed)::bigint as not_sent_internally_suppressed,
        sum(not_sent_incomplete_or_invalid)::bigint as not_sent_incomplete_or_invalid,
        sum(not_sent_system_error)::bigint as not_sent_system_error,
        sum(not_sent_other)::bigint as not_sent_other,
        sum(in_progress)::bigint as in_progress
    from report.campaign_daily
    group by account, campaign_id, channel
)

select
    account,
    campaign_id,
    channel,
    first_day,
    last_day,
    targeted,
    sent,
    delivered,
    bounced_hard,
    bounced_soft,
    not_delivered,
    in_gateway,
    opened,
    opened_human,
    clicked,
    clicked_human,
    spam_reported,
    unsubscribed,
    not_sent,
    not_sent_internally_suppressed,
    not_sent_incomplete_or_invalid,
    not_sent_system_error,
    not_sent_other,
    in_progress,
    round(sent::numeric / nullif(targeted, 0), 6)::numeric(7, 6) as sent_rate,
    round(delivered::numeric / nullif(sent, 0), 6)::numeric(7, 6) as delivery_rate,
    round((bounced_hard + bounced_soft)::numeric / nullif(sent, 0), 6)::numeric(7, 6) as bounce_rate,
    round(opened::numeric / nullif(delivered, 0), 6)::numeric(7, 6) as open_rate,
    round(clicked::numeric / nullif(delivered, 0), 6)::numeric(7, 6) as click_rate,
    round(spam_reported::numeric / nullif(delivered, 0), 6)::numeric(7, 6) as spam_rate,
    round(clicked::numeric / nullif(opened, 0), 6)::numeric(7, 6) as click_to_open_rate
from total;
comment on view report.campaign_summary is
    'What has become of the messages of a campaign over all days: sums of report.campaign_daily, and rates of these '
    'sums. As of the last build; report.live_monitoring follows every load.';
comment on column report.campaign_summary.account is 'Account (organisation).';
comment on column report.campaign_summary.campaign_id is 'Campaign, or (none).';
comment on column report.campaign_summary.channel is 'email, sms or ivr.';
comment on column report.campaign_summary.first_day is 'First local day with a message of the campaign.';
comment on column report.campaign_summary.last_day is 'Last local day with a message of the campaign.';
comment on column report.campaign_summary.targeted is
    'Messages that the campaign system or a gateway reported, sent or not (count).';
comment on column report.campaign_summary.sent is
    'Messages that a gateway reported, or that the campaign system handed over (count).';
comment on column report.campaign_summary.delivered is
    'Messages that were delivered; calls that were connected (count). An open, a click, a spam report or an '
    'unsubscribe from an email counts as a delivery.';
comment on column report.campaign_summary.bounced_hard is
    'Messages that bounced with class invalid or hard_bounce (count).';
comment on column report.campaign_summary.bounced_soft is
    'Messages that bounced with class soft_bounce or blocked (count).';
comment on column report.campaign_summary.not_delivered is
    'Messages that the gateway did not send on, or that failed without a known class; calls that were not answered '
    '(count).';
comment on column report.campaign_summary.in_gateway is 'Messages that were sent and have no final result yet (count).';
comment on column report.campaign_summary.opened is
    'Messages with an open or a click, or emails with an unsubscribe (count).';
comment on column report.campaign_summary.opened_human is
    'Like opened, without events that the provider flags as a machine''s (count).';
comment on column report.campaign_summary.clicked is 'Messages with a click, or emails with an unsubscribe (count).';
comment on column report.campaign_summary.clicked_human is
    'Like clicked, without events that the provider flags as a machine''s (count).';
comment on column report.campaign_summary.spam_reported is 'Messages that were reported as spam (count).';
comment on column report.campaign_summary.unsubscribed is 'Messages with an unsubscribe (count).';
comment on column report.campaign_summary.not_sent is 'Messages that the campaign system decided not to send (count).';
comment on column report.campaign_summary.not_sent_internally_suppressed is
    'Messages in not_sent with category internally_suppressed (count).';
comment on column report.campaign_summary.not_sent_incomplete_or_invalid is
    'Messages in not_sent with category incomplete_or_invalid (count).';
comment on column report.campaign_summary.not_sent_system_error is
    'Messages in not_sent with category system_error (count).';
comment on column report.campaign_summary.not_sent_other is 'Messages in not_sent with category other (count).';
comment on column report.campaign_summary.in_progress is 'Messages that the campaign system has not sent yet (count).';
comment on column report.campaign_summary.sent_rate is 'sent / targeted (0..1). Null: targeted is 0.';
comment on column report.campaign_summary.delivery_rate is 'delivered / sent (0..1). Null: sent is 0.';
comment on column report.campaign_summary.bounce_rate is
    '(bounced_hard + bounced_soft) / sent (0..1). Null: sent is 0.';
comment on column report.campaign_summary.open_rate is 'opened / delivered (0..1). Null: delivered is 0.';
comment on column report.campaign_summary.click_rate is 'clicked / delivered (0..1). Null: delivered is 0.';
comment on column report.campaign_summary.spam_rate is 'spam_reported / delivered (0..1). Null: delivered is 0.';
comment on column report.campaign_summary.click_to_open_rate is 'clicked / opened (0..1). Null: opened is 0.';

grant select, insert, update, delete on report.campaign_daily to waybill_reporter;
grant select on report.account_daily, report.campaign_summary to waybill_reporter;
grant select on report.campaign_daily, report.account_daily, report.campaign_summary
to waybill_bi_reader, waybill_support_reader;

-- The report pages say reasons in words.
grant select on fact.reason to waybill_reporter;

-- Loads give a message that was not sent the day of its first event; before this release it had no day.
update fact.message as message
set days = array[(own.first_event_at at time zone zone.value)::date]
from (select message_key, min(first_event_at) as first_event_at from fact.leg group by message_key) as own
cross join (select value from ops.setting where name = 'report_timezone') as zone
where message.message_key = own.message_key and message.sent_at is null and message.days = '{}';

-- The new report is empty: every existing day waits for the next build, under the number of the last load.
insert into ops.changed_day (load_id, day)
select newest.load_id, counted.day
from (select max(load_id) as load_id from ops.load where status = 'published') as newest
cross join (
    select day from fact.message cross join lateral unnest(days) as day group by day
) as counted
where newest.load_id is not null
on conflict do nothing;
