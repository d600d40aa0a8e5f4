-- The reports that BI tools read. The key of each is its grain; only builds write them, differences only.
-- Columns are only ever appended. Days are local days of the zone that report.build states; a missing dimension is
-- the text (none); a rate is null where its denominator is 0; rows whose measures are all zero do not exist.
create table report.email_engagement_daily (
    event_day date not null,
    account text collate "C" not null,
    provider text collate "C" not null,
    campaign_id text collate "C" not null,
    mailbox_provider text collate "C" not null,
    open_count bigint not null,
    machine_open_count bigint not null,
    unique_open_count bigint not null,
    unique_human_open_count bigint not null,
    click_count bigint not null,
    machine_click_count bigint not null,
    unique_click_count bigint not null,
    unsubscribe_count bigint not null,
    primary key (event_day, account, provider, campaign_id, mailbox_provider)
);
comment on table report.email_engagement_daily is 'Opens, clicks and unsubscribes of emails, on the day they happened. A message that two gateways carried counts once for each.';
comment on column report.email_engagement_daily.event_day is 'Local day of the event.';
comment on column report.email_engagement_daily.account is 'Account (organisation).';
comment on column report.email_engagement_daily.provider is 'Gateway that told the event.';
comment on column report.email_engagement_daily.campaign_id is 'Campaign of the message, or (none).';
comment on column report.email_engagement_daily.mailbox_provider is 'gmail, yahoo, microsoft, apple, other or (none), from the recipient''s domain.';
comment on column report.email_engagement_daily.open_count is 'Opened events (count), machines included.';
comment on column report.email_engagement_daily.machine_open_count is 'Of them, flagged by the provider as a machine''s (count).';
comment on column report.email_engagement_daily.unique_open_count is 'Emails first opened that day (count).';
comment on column report.email_engagement_daily.unique_human_open_count is 'Emails first opened that day by other than flagged machines (count).';
comment on column report.email_engagement_daily.click_count is 'Clicked events (count), machines included.';
comment on column report.email_engagement_daily.machine_click_count is 'Of them, flagged by the provider as a machine''s (count).';
comment on column report.email_engagement_daily.unique_click_count is 'Emails first clicked that day (count).';
comment on column report.email_engagement_daily.unsubscribe_count is 'Unsubscribed events (count).';

create table report.email_deliverability_daily (
    event_day date not null,
    account text collate "C" not null,
    provider text collate "C" not null,
    campaign_id text collate "C" not null,
    mailbox_provider text collate "C" not null,
    processed_count bigint not null,
    deferred_count bigint not null,
    delivered_count bigint not null,
    spam_report_count bigint not null,
    hard_bounce_count bigint not null,
    soft_bounce_count bigint not null,
    bounced_count bigint not null,
    blocked_count bigint not null,
    invalid_count bigint not null,
    gateway_suppressed_count bigint not null,
    unclassified_count bigint not null,
    dropped_count bigint not null,
    primary key (event_day, account, provider, campaign_id, mailbox_provider)
);
comment on table report.email_deliverability_daily is 'What gateways and mail servers did with emails, each counted on the day of its first such event; failures once, on the day and in the class of the latest. Engagement does not undo a failure here.';
comment on column report.email_deliverability_daily.event_day is 'Local day of the event.';
comment on column report.email_deliverability_daily.account is 'Account (organisation).';
comment on column report.email_deliverability_daily.provider is 'Gateway that carried the email.';
comment on column report.email_deliverability_daily.campaign_id is 'Campaign of the message, or (none).';
comment on column report.email_deliverability_daily.mailbox_provider is 'gmail, yahoo, microsoft, apple, other or (none), from the recipient''s domain.';
comment on column report.email_deliverability_daily.processed_count is 'Emails first accepted by the gateway that day (count).';
comment on column report.email_deliverability_daily.deferred_count is 'Emails first put off by the receiving server that day (count).';
comment on column report.email_deliverability_daily.delivered_count is 'Emails first accepted by the receiving server that day (count).';
comment on column report.email_deliverability_daily.spam_report_count is 'Emails first reported as spam that day (count).';
comment on column report.email_deliverability_daily.hard_bounce_count is 'Emails whose latest failure is that day and of class hard_bounce (count).';
comment on column report.email_deliverability_daily.soft_bounce_count is 'Emails whose latest failure is that day and of class soft_bounce (count).';
comment on column report.email_deliverability_daily.bounced_count is 'hard_bounce_count + soft_bounce_count (count).';
comment on column report.email_deliverability_daily.blocked_count is 'Emails whose latest failure is that day and of class blocked (count).';
comment on column report.email_deliverability_daily.invalid_count is 'Emails whose latest failure is that day and of class invalid (count).';
comment on column report.email_deliverability_daily.gateway_suppressed_count is 'Emails whose latest failure is that day and of class gateway_suppressed (count).';
comment on column report.email_deliverability_daily.unclassified_count is 'Emails whose latest failure is that day and of class unknown (count).';
comment on column report.email_deliverability_daily.dropped_count is 'Emails that the gateway first refused to send that day (count); they count in a failure class as well.';

create table report.email_campaign (
    sent_day date not null,
    account text collate "C" not null,
    provider text collate "C" not null,
    campaign_id text collate "C" not null,
    template_id text collate "C" not null,
    mailbox_provider text collate "C" not null,
    sent bigint not null,
    delivered bigint not null,
    bounced_hard bigint not null,
    bounced_soft bigint not null,
    blocked bigint not null,
    invalid bigint not null,
    not_delivered bigint not null,
    in_gateway bigint not null,
    opened bigint not null,
    opened_human bigint not null,
    clicked bigint not null,
    clicked_human bigint not null,
    spam_reported bigint not null,
    unsubscribed bigint not null,
    delivery_rate numeric(7, 6),
    bounce_rate numeric(7, 6),
    open_rate numeric(7, 6),
    click_rate numeric(7, 6),
    spam_rate numeric(7, 6),
    unsubscribe_rate numeric(7, 6),
    click_to_open_rate numeric(7, 6),
    primary key (sent_day, account, provider, campaign_id, template_id, mailbox_provider)
);
comment on table report.email_campaign is 'The funnel of the emails that were sent on a day, by what has become of each since. sent = delivered + bounced_hard + bounced_soft + not_delivered + in_gateway.';
comment on column report.email_campaign.sent_day is 'Local day on which the message was handed over.';
comment on column report.email_campaign.account is 'Account (organisation).';
comment on column report.email_campaign.provider is 'Gateway that carried the message last, or (none).';
comment on column report.email_campaign.campaign_id is 'Campaign, or (none).';
comment on column report.email_campaign.template_id is 'Template, or (none).';
comment on column report.email_campaign.mailbox_provider is 'gmail, yahoo, microsoft, apple, other or (none), from the recipient''s domain.';
comment on column report.email_campaign.sent is 'Messages handed over to a gateway (count).';
comment on column report.email_campaign.delivered is 'Messages delivered, or opened, clicked, reported or unsubscribed from (count).';
comment on column report.email_campaign.bounced_hard is 'Messages bounced, class invalid or hard_bounce (count).';
comment on column report.email_campaign.bounced_soft is 'Messages bounced, class soft_bounce or blocked (count).';
comment on column report.email_campaign.blocked is 'Of bounced_soft: class blocked (count).';
comment on column report.email_campaign.invalid is 'Of bounced_hard: class invalid (count).';
comment on column report.email_campaign.not_delivered is 'Messages that the gateway did not send on, or that failed without a class (count).';
comment on column report.email_campaign.in_gateway is 'Messages of which nothing final has been heard (count).';
comment on column report.email_campaign.opened is 'Messages opened, clicked or unsubscribed from (count).';
comment on column report.email_campaign.opened_human is 'The same, by other than machines that the provider flags (count).';
comment on column report.email_campaign.clicked is 'Messages clicked or unsubscribed from (count).';
comment on column report.email_campaign.clicked_human is 'The same, by other than machines that the provider flags (count).';
comment on column report.email_campaign.spam_reported is 'Messages reported as spam (count).';
comment on column report.email_campaign.unsubscribed is 'Messages unsubscribed from (count).';
comment on column report.email_campaign.delivery_rate is 'delivered / sent (0..1).';
comment on column report.email_campaign.bounce_rate is '(bounced_hard + bounced_soft) / sent (0..1).';
comment on column report.email_campaign.open_rate is 'opened / delivered (0..1).';
comment on column report.email_campaign.click_rate is 'clicked / delivered (0..1).';
comment on column report.email_campaign.spam_rate is 'spam_reported / delivered (0..1).';
comment on column report.email_campaign.unsubscribe_rate is 'unsubscribed / delivered (0..1).';
comment on column report.email_campaign.click_to_open_rate is 'clicked / opened (0..1).';

create table report.sms_activity_daily (
    sent_day date not null,
    account text collate "C" not null,
    provider text collate "C" not null,
    campaign_id text collate "C" not null,
    country text collate "C" not null,
    sent bigint not null,
    delivered bigint not null,
    undelivered bigint not null,
    in_gateway bigint not null,
    segments bigint not null,
    primary key (sent_day, account, provider, campaign_id, country)
);
comment on table report.sms_activity_daily is 'Text messages by the day they were sent, and what has become of them. sent = delivered + undelivered + in_gateway.';
comment on column report.sms_activity_daily.sent_day is 'Local day on which the message was handed over.';
comment on column report.sms_activity_daily.account is 'Account (organisation).';
comment on column report.sms_activity_daily.provider is 'Gateway that carried the message last, or (none).';
comment on column report.sms_activity_daily.campaign_id is 'Campaign, or (none).';
comment on column report.sms_activity_daily.country is 'ISO 3166-1 alpha-2, from the recipient''s number, or (none).';
comment on column report.sms_activity_daily.sent is 'Messages handed over to a gateway (count).';
comment on column report.sms_activity_daily.delivered is 'Messages delivered (count).';
comment on column report.sms_activity_daily.undelivered is 'Messages bounced or not delivered (count).';
comment on column report.sms_activity_daily.in_gateway is 'Messages of which nothing final has been heard (count).';
comment on column report.sms_activity_daily.segments is 'Segments that the provider counted (count).';

create table report.ivr_activity_daily (
    sent_day date not null,
    account text collate "C" not null,
    provider text collate "C" not null,
    campaign_id text collate "C" not null,
    country text collate "C" not null,
    sent bigint not null,
    completed bigint not null,
    no_answer bigint not null,
    failed bigint not null,
    in_gateway bigint not null,
    busy bigint not null,
    canceled bigint not null,
    human bigint not null,
    machine bigint not null,
    duration_seconds bigint not null,
    primary key (sent_day, account, provider, campaign_id, country)
);
comment on table report.ivr_activity_daily is 'Calls by the day they were placed, and how they ended. sent = completed + no_answer + failed + in_gateway.';
comment on column report.ivr_activity_daily.sent_day is 'Local day on which the call was handed over.';
comment on column report.ivr_activity_daily.account is 'Account (organisation).';
comment on column report.ivr_activity_daily.provider is 'Gateway that placed the call last, or (none).';
comment on column report.ivr_activity_daily.campaign_id is 'Campaign, or (none).';
comment on column report.ivr_activity_daily.country is 'ISO 3166-1 alpha-2, from the recipient''s number, or (none).';
comment on column report.ivr_activity_daily.sent is 'Calls handed over to a gateway (count).';
comment on column report.ivr_activity_daily.completed is 'Calls that were connected and ended (count).';
comment on column report.ivr_activity_daily.no_answer is 'Calls that nobody answered, or whose line was busy (count).';
comment on column report.ivr_activity_daily.failed is 'Calls that could not be placed, or were withdrawn (count).';
comment on column report.ivr_activity_daily.in_gateway is 'Calls of which nothing final has been heard (count).';
comment on column report.ivr_activity_daily.busy is 'Of no_answer: the line was busy (count).';
comment on column report.ivr_activity_daily.canceled is 'Of failed: withdrawn before they were placed (count).';
comment on column report.ivr_activity_daily.human is 'Calls that a person answered (count).';
comment on column report.ivr_activity_daily.machine is 'Calls that an answering machine or a fax answered (count).';
comment on column report.ivr_activity_daily.duration_seconds is 'Duration of the calls, added up, in seconds.';

create table report.message_cost_daily (
    sent_day date not null,
    account text collate "C" not null,
    channel text collate "C" not null,
    provider text collate "C" not null,
    campaign_id text collate "C" not null,
    country text collate "C" not null,
    currency text collate "C" not null,
    priced_leg_count bigint not null,
    cost numeric not null,
    primary key (sent_day, account, channel, provider, campaign_id, country, currency)
);
comment on table report.message_cost_daily is 'What gateways charged, by the day the message was sent. What has no price yet has no row. Currencies are never added up.';
comment on column report.message_cost_daily.sent_day is 'Local day on which the message was handed over.';
comment on column report.message_cost_daily.account is 'Account (organisation).';
comment on column report.message_cost_daily.channel is 'email, sms or ivr.';
comment on column report.message_cost_daily.provider is 'Gateway that charged it.';
comment on column report.message_cost_daily.campaign_id is 'Campaign, or (none).';
comment on column report.message_cost_daily.country is 'ISO 3166-1 alpha-2, from the recipient''s number, or (none).';
comment on column report.message_cost_daily.currency is 'ISO 4217, upper case, or (none).';
comment on column report.message_cost_daily.priced_leg_count is 'Messages or calls of the gateway that have a price (count).';
comment on column report.message_cost_daily.cost is 'What they cost, exact; a credit is negative. Unit: currency.';

create table report.communication_activity_daily (
    event_day date not null,
    account text collate "C" not null,
    channel text collate "C" not null,
    event_status text collate "C" not null,
    message_count bigint not null,
    primary key (event_day, account, channel, event_status)
);
comment on table report.communication_activity_daily is 'Messages by what happened to them, each once for each status, on the day it happened first. The statuses overlap and are not to be added up.';
comment on column report.communication_activity_daily.event_day is 'Local day of the first event of that status.';
comment on column report.communication_activity_daily.account is 'Account (organisation).';
comment on column report.communication_activity_daily.channel is 'email, sms or ivr.';
comment on column report.communication_activity_daily.event_status is 'email: Processed, Delivered, Open, Click, Spam, Dropped, Bounced, Blocked (also Bounced), Invalid. sms: Delivered, Undelivered. ivr: Completed, No-Answer, Failed.';
comment on column report.communication_activity_daily.message_count is 'Messages (count).';

create view report.build as
select
    build.build_id,
    build.started_at,
    build.as_of,
    build.report_timezone,
    build.days_built,
    build.rows_changed,
    build.code_version
from ops.build as build
where build.status = 'published';
comment on view report.build is 'Builds that were published; the last one made the reports as they are.';
comment on column report.build.build_id is 'Number of the build.';
comment on column report.build.started_at is 'Start (UTC).';
comment on column report.build.as_of is 'Time of the snapshot that it read (UTC): what was loaded before it is in the reports.';
comment on column report.build.report_timezone is 'Zone of all local days.';
comment on column report.build.days_built is 'Local days that it rebuilt; null: all.';
comment on column report.build.rows_changed is 'Report rows deleted, updated or inserted (count).';
comment on column report.build.code_version is 'Version of Waybill.';

create table ops.feed (
    feed text primary key,
    kind text not null check (kind in ('api', 'files'))
);
comment on table ops.feed is 'Feeds that loads have met; each load states its own.';
comment on column ops.feed.feed is 'Feed slug.';
comment on column ops.feed.kind is 'api: pulled window by window. files: objects that others land.';
grant select, insert, update on ops.feed to waybill_loader;
grant select on ops.feed to waybill_reporter;

-- What freshness counts, over all time: partial indexes that hold only what should be rare.
create index event_unknown on fact.event (account, feed) where event_type = 'unknown';
create index rejected_record_unresolved on private.rejected_record (account, feed) where resolved_load_id is null;

create view report.freshness as
with
-- An object is published once a published load has held it.
object_state as (
    select
        object.account collate "C" as account,
        object.feed collate "C" as feed,
        object.landed_at,
        max(load.load_id) is not null as is_published,
        -- The first 48 bits of an event key are milliseconds: the time that orders the events of the feed.
        max(('x' || left(replace(load_object.last_key::text, '-', ''), 12))::bit(48)::bigint)
            filter (where load.load_id is not null) as last_key_milliseconds
    from ops.object as object
    left join ops.load_object as load_object on load_object.object_id = object.object_id
    left join ops.load as load on load.load_id = load_object.load_id and load.status = 'published'
    group by object.object_id
),
landed as (
    select
        account,
        feed,
        max(landed_at) as last_landed_at,
        min(landed_at) filter (where not is_published) as first_unpublished_at,
        max(last_key_milliseconds) as last_key_milliseconds
    from object_state
    group by account, feed
),
loaded as (
    select
        account collate "C" as account,
        feed collate "C" as feed,
        max(ended_at) filter (where status = 'published') as last_loaded_at
    from ops.load
    group by account, feed
),
unattributed as (
    select account, feed, count(*) as unattributed_count
    from fact.event
    where leg_key is null
    group by account, feed
),
unknown as (
    select account, feed, count(*) as unknown_count
    from fact.event
    where event_type = 'unknown'
    group by account, feed
),
rejected as (
    select account collate "C" as account, feed collate "C" as feed, count(*) as rejected_count
    from private.rejected_record
    where resolved_load_id is null
    group by account, feed
)
select
    coalesce(landed.account, loaded.account) as account,
    coalesce(landed.feed, loaded.feed) as feed,
    case when feed.kind = 'files' then coalesce(landed.first_unpublished_at, landed.last_landed_at) end
        as complete_until,
    loaded.last_loaded_at,
    to_timestamp(landed.last_key_milliseconds / 1000.0) as last_event_at,
    coalesce(unattributed.unattributed_count, 0) as unattributed_count,
    coalesce(rejected.rejected_count, 0) as rejected_count,
    coalesce(unknown.unknown_count, 0) as unknown_count,
    report_state.stale_reason
from landed
full join loaded on loaded.account = landed.account and loaded.feed = landed.feed
left join ops.feed as feed on feed.feed collate "C" = coalesce(landed.feed, loaded.feed)
left join unattributed
    on unattributed.account = coalesce(landed.account, loaded.account)
    and unattributed.feed = coalesce(landed.feed, loaded.feed)
left join rejected
    on rejected.account = coalesce(landed.account, loaded.account)
    and rejected.feed = coalesce(landed.feed, loaded.feed)
left join unknown
    on unknown.account = coalesce(landed.account, loaded.account)
    and unknown.feed = coalesce(landed.feed, loaded.feed)
cross join ops.report_state as report_state;
comment on view report.freshness is 'How far each feed has come, what it could not place, and whether the reports are older than they should be.';
comment on column report.freshness.account is 'Account (organisation).';
comment on column report.freshness.feed is 'Feed slug.';
comment on column report.freshness.complete_until is 'Of a file feed: landing time before which every discovered object is published (UTC). Null for feeds that are pulled.';
comment on column report.freshness.last_loaded_at is 'End of the last load that was published (UTC).';
comment on column report.freshness.last_event_at is 'Latest time in the keys of its published events (UTC): of an event log the event itself, of rows with a changing status the creation of the message.';
comment on column report.freshness.unattributed_count is 'Events that name no message and so count in no report (count, all time).';
comment on column report.freshness.rejected_count is 'Records that could not be normalised and still cannot (count, all time).';
comment on column report.freshness.unknown_count is 'Events whose provider word has no mapping (count, all time).';
comment on column report.freshness.stale_reason is 'Why the last build did not publish; null when it did.';

grant select, insert, update, delete on
    report.email_engagement_daily,
    report.email_deliverability_daily,
    report.email_campaign,
    report.sms_activity_daily,
    report.ivr_activity_daily,
    report.message_cost_daily,
    report.communication_activity_daily
to waybill_reporter;
grant usage on schema report to waybill_reporter;
grant select on all tables in schema report to waybill_reporter, waybill_bi_reader, waybill_support_reader;
