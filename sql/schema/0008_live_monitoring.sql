-- Live monitoring: messages by what has become of them so far, campaign by campaign, right at every load's commit.
-- Loads add differences to two small tables, builds keep a third; two views show them.
create table fact.live_count (
    account text collate "C" not null,
    campaign_id text collate "C" not null,
    channel text collate "C" not null,
    targeted bigint not null,
    sent bigint not null,
    delivered bigint not null,
    bounced_hard bigint not null,
    bounced_soft bigint not null,
    not_delivered bigint not null,
    in_gateway bigint not null,
    marked_spam bigint not null,
    marked_unsubscribed bigint not null,
    not_sent bigint not null,
    not_sent_internally_suppressed bigint not null,
    not_sent_incomplete_or_invalid bigint not null,
    not_sent_system_error bigint not null,
    not_sent_other bigint not null,
    in_progress_queued bigint not null,
    in_progress_about_to_be_sent bigint not null,
    primary key (account, campaign_id, channel)
);
comment on table fact.live_count is 'fact.counted_message summed up, but opened and clicked. Each load adds its differences, and removes rows that come to zero; a full rebuild recounts.';
comment on column fact.live_count.account is 'Account.';
comment on column fact.live_count.campaign_id is 'Campaign, or (none).';
comment on column fact.live_count.channel is 'email, sms or ivr.';
comment on column fact.live_count.targeted is 'Messages (count).';
comment on column fact.live_count.sent is 'Messages with a gateway-side event (count).';
comment on column fact.live_count.delivered is 'Messages in state delivered (count).';
comment on column fact.live_count.bounced_hard is 'Bounced messages of class invalid or hard_bounce (count).';
comment on column fact.live_count.bounced_soft is 'Bounced messages of class soft_bounce or blocked (count).';
comment on column fact.live_count.not_delivered is 'Messages in state not_delivered (count).';
comment on column fact.live_count.in_gateway is 'Messages in state in_gateway (count).';
comment on column fact.live_count.marked_spam is 'Messages reported as spam (count).';
comment on column fact.live_count.marked_unsubscribed is 'Messages unsubscribed from (count).';
comment on column fact.live_count.not_sent is 'Messages in state not_sent (count).';
comment on column fact.live_count.not_sent_internally_suppressed is 'Messages not sent, of category internally_suppressed (count).';
comment on column fact.live_count.not_sent_incomplete_or_invalid is 'Messages not sent, of category incomplete_or_invalid (count).';
comment on column fact.live_count.not_sent_system_error is 'Messages not sent, of category system_error (count).';
comment on column fact.live_count.not_sent_other is 'Messages not sent, of category other (count).';
comment on column fact.live_count.in_progress_queued is 'Messages in progress that are not about to be sent (count).';
comment on column fact.live_count.in_progress_about_to_be_sent is 'Messages in progress that are about to be sent (count).';

create table fact.live_reason (
    account text collate "C" not null,
    campaign_id text collate "C" not null,
    channel text collate "C" not null,
    category text collate "C" not null,
    reason text collate "C" not null,
    message_count bigint not null,
    primary key (account, campaign_id, channel, category, reason)
);
comment on table fact.live_reason is 'Messages not sent, by reason: fact.counted_message summed up. Kept like fact.live_count.';
comment on column fact.live_reason.account is 'Account.';
comment on column fact.live_reason.campaign_id is 'Campaign, or (none).';
comment on column fact.live_reason.channel is 'email, sms or ivr.';
comment on column fact.live_reason.category is 'Not-sent category.';
comment on column fact.live_reason.reason is 'Not-sent reason.';
comment on column fact.live_reason.message_count is 'Messages not sent (count).';

create table fact.live_engagement (
    account text collate "C" not null,
    campaign_id text collate "C" not null,
    channel text collate "C" not null,
    delivered bigint not null,
    opened bigint not null,
    clicked bigint not null,
    primary key (account, campaign_id, channel)
);
comment on table fact.live_engagement is 'Opened and clicked messages as of the last published build. Builds alone write it.';
comment on column fact.live_engagement.account is 'Account.';
comment on column fact.live_engagement.campaign_id is 'Campaign, or (none).';
comment on column fact.live_engagement.channel is 'email, sms or ivr.';
comment on column fact.live_engagement.delivered is 'Messages in state delivered at that build (count): what opened and clicked are held against.';
comment on column fact.live_engagement.opened is 'Messages opened (count).';
comment on column fact.live_engagement.clicked is 'Messages clicked (count).';

create table ops.changed_engagement (
    load_id bigint not null references ops.load,
    account text collate "C" not null,
    campaign_id text collate "C" not null,
    channel text collate "C" not null,
    delivered bigint not null,
    opened bigint not null,
    clicked bigint not null,
    primary key (load_id, account, campaign_id, channel)
);
comment on table ops.changed_engagement is 'What loads changed of the numbers in fact.live_engagement, and no build has added yet.';
comment on column ops.changed_engagement.load_id is 'The load.';
comment on column ops.changed_engagement.account is 'Account.';
comment on column ops.changed_engagement.campaign_id is 'Campaign, or (none).';
comment on column ops.changed_engagement.channel is 'email, sms or ivr.';
comment on column ops.changed_engagement.delivered is 'Messages delivered, more or (negative) fewer than before the load (count).';
comment on column ops.changed_engagement.opened is 'Messages opened, more or fewer (count).';
comment on column ops.changed_engagement.clicked is 'Messages clicked, more or fewer (count).';

create table ops.account_as_of (
    account text collate "C" primary key,
    delivery_as_of timestamptz not null
);
comment on table ops.account_as_of is 'Until when the facts of each account are told. A file may hold rows of several accounts, so the ledger alone does not say.';
comment on column ops.account_as_of.account is 'Account.';
comment on column ops.account_as_of.delivery_as_of is 'When the last load that held the account was committed (UTC).';

create view fact.counted_message as
select
    message_key,
    account,
    coalesce(campaign_id, '(none)') as campaign_id,
    channel,
    coalesce(not_sent_category, '(none)') as category,
    case not_sent_category when 'other' then 'unclassified' else coalesce(not_sent_reason, '(none)') end as reason,
    1 as targeted,
    case when sent_at is not null then 1 else 0 end as sent,
    case when state = 'delivered' then 1 else 0 end as delivered,
    case when state = 'bounced' and failure_class in ('invalid', 'hard_bounce') then 1 else 0 end as bounced_hard,
    case when state = 'bounced' and failure_class in ('soft_bounce', 'blocked') then 1 else 0 end as bounced_soft,
    case when state = 'not_delivered' then 1 else 0 end as not_delivered,
    case when state = 'in_gateway' then 1 else 0 end as in_gateway,
    case when is_opened then 1 else 0 end as opened,
    case when is_clicked then 1 else 0 end as clicked,
    case when is_spam_reported then 1 else 0 end as marked_spam,
    case when is_unsubscribed then 1 else 0 end as marked_unsubscribed,
    case when state = 'not_sent' then 1 else 0 end as not_sent,
    case when not_sent_category = 'internally_suppressed' then 1 else 0 end as not_sent_internally_suppressed,
    case when not_sent_category = 'incomplete_or_invalid' then 1 else 0 end as not_sent_incomplete_or_invalid,
    case when not_sent_category = 'system_error' then 1 else 0 end as not_sent_system_error,
    case when not_sent_category = 'other' then 1 else 0 end as not_sent_other,
    case when state = 'in_progress' and not is_scheduled then 1 else 0 end as in_progress_queued,
    case when state = 'in_progress' and is_scheduled then 1 else 0 end as in_progress_about_to_be_sent,
    case when not_sent_category is not null then 1 else 0 end as message_count
from fact.message;
comment on view fact.counted_message is 'What each message counts as in live monitoring: the only definition, for loads (before and after), recounts and checks. Another definition is another migration, which recounts.';
comment on column fact.counted_message.message_key is 'Key of the message.';
comment on column fact.counted_message.account is 'Account.';
comment on column fact.counted_message.campaign_id is 'Campaign, or (none).';
comment on column fact.counted_message.channel is 'email, sms or ivr.';
comment on column fact.counted_message.category is 'Not-sent category; (none) where it is not of state not_sent.';
comment on column fact.counted_message.reason is 'Not-sent reason, unclassified where the word is not ours; (none) where it is not of state not_sent.';
comment on column fact.counted_message.targeted is '1.';
comment on column fact.counted_message.sent is '1 with a gateway-side event, else 0.';
comment on column fact.counted_message.delivered is '1 in state delivered.';
comment on column fact.counted_message.bounced_hard is '1 in state bounced, of class invalid or hard_bounce.';
comment on column fact.counted_message.bounced_soft is '1 in state bounced, of class soft_bounce or blocked.';
comment on column fact.counted_message.not_delivered is '1 in state not_delivered.';
comment on column fact.counted_message.in_gateway is '1 in state in_gateway.';
comment on column fact.counted_message.opened is '1 if opened, clicked, or an email unsubscribed from.';
comment on column fact.counted_message.clicked is '1 if clicked, or an email unsubscribed from.';
comment on column fact.counted_message.marked_spam is '1 if reported as spam.';
comment on column fact.counted_message.marked_unsubscribed is '1 if unsubscribed from.';
comment on column fact.counted_message.not_sent is '1 in state not_sent.';
comment on column fact.counted_message.not_sent_internally_suppressed is '1 of that not-sent category.';
comment on column fact.counted_message.not_sent_incomplete_or_invalid is '1 of that not-sent category.';
comment on column fact.counted_message.not_sent_system_error is '1 of that not-sent category.';
comment on column fact.counted_message.not_sent_other is '1 of that not-sent category.';
comment on column fact.counted_message.in_progress_queued is '1 in state in_progress and not about to be sent.';
comment on column fact.counted_message.in_progress_about_to_be_sent is '1 in state in_progress and about to be sent.';
comment on column fact.counted_message.message_count is '1 with a not-sent category: what counts by reason.';

create view report.live_monitoring as
select
    live.account,
    live.campaign_id,
    live.channel,
    live.targeted,
    live.sent,
    live.delivered,
    live.bounced_hard,
    live.bounced_soft,
    live.not_delivered,
    live.in_gateway,
    coalesce(engagement.opened, 0) as opened,
    coalesce(engagement.clicked, 0) as clicked,
    live.marked_spam,
    live.marked_unsubscribed,
    live.not_sent,
    live.not_sent_internally_suppressed,
    live.not_sent_incomplete_or_invalid,
    live.not_sent_system_error,
    live.not_sent_other,
    live.in_progress_queued,
    live.in_progress_about_to_be_sent,
    loaded.delivery_as_of,
    (select as_of from ops.build where status = 'published' order by build_id desc limit 1) as engagement_as_of
from fact.live_count as live
left join fact.live_engagement as engagement
    on engagement.account = live.account
    and engagement.campaign_id = live.campaign_id
    and engagement.channel = live.channel
left join ops.account_as_of as loaded on loaded.account = live.account;
comment on view report.live_monitoring is 'What has become of the messages of each campaign so far: right as soon as a load is committed, but for opened and clicked, which are those of the last build. targeted = sent + not_sent + in_progress_queued + in_progress_about_to_be_sent; sent = delivered + bounced_hard + bounced_soft + not_delivered + in_gateway.';
comment on column report.live_monitoring.account is 'Account (organisation).';
comment on column report.live_monitoring.campaign_id is 'Campaign, or (none).';
comment on column report.live_monitoring.channel is 'email, sms or ivr.';
comment on column report.live_monitoring.targeted is 'Messages that the campaign system decided on, or a gateway told of (count).';
comment on column report.live_monitoring.sent is 'Messages that were handed over (count).';
comment on column report.live_monitoring.delivered is 'Of sent: delivered or completed, or opened, clicked or reported as spam, or emails unsubscribed from, whatever else was told (count).';
comment on column report.live_monitoring.bounced_hard is 'Of sent: bounced because the address is invalid or refuses for good (count).';
comment on column report.live_monitoring.bounced_soft is 'Of sent: bounced for a time or blocked (count).';
comment on column report.live_monitoring.not_delivered is 'Of sent: not delivered for another reason: refused by the gateway, failed, nobody answered, canceled (count).';
comment on column report.live_monitoring.in_gateway is 'Of sent: nothing has become of them yet (count).';
comment on column report.live_monitoring.opened is 'Messages opened or clicked, or emails unsubscribed from, as of engagement_as_of (count).';
comment on column report.live_monitoring.clicked is 'Messages clicked, or emails unsubscribed from, as of engagement_as_of (count).';
comment on column report.live_monitoring.marked_spam is 'Messages reported as spam (count).';
comment on column report.live_monitoring.marked_unsubscribed is 'Messages unsubscribed from (count).';
comment on column report.live_monitoring.not_sent is 'Messages that the campaign system did not send (count); report.live_monitoring_reason says why.';
comment on column report.live_monitoring.not_sent_internally_suppressed is 'Of not_sent: its own rules forbade it (count).';
comment on column report.live_monitoring.not_sent_incomplete_or_invalid is 'Of not_sent: something was missing or invalid (count).';
comment on column report.live_monitoring.not_sent_system_error is 'Of not_sent: something failed in the campaign system (count).';
comment on column report.live_monitoring.not_sent_other is 'Of not_sent: for a reason that is not known (count).';
comment on column report.live_monitoring.in_progress_queued is 'Messages that the campaign system has queued (count).';
comment on column report.live_monitoring.in_progress_about_to_be_sent is 'Messages that the campaign system is about to send (count).';
comment on column report.live_monitoring.delivery_as_of is 'When the last load of the account was committed (UTC): every column but opened and clicked is as of then.';
comment on column report.live_monitoring.engagement_as_of is 'Snapshot of the last published build (UTC): opened and clicked are as of then; null: there was none.';

create view report.live_monitoring_reason as
select account, campaign_id, channel, category, reason, message_count
from fact.live_reason;
comment on view report.live_monitoring_reason is 'Why messages were not sent, as live as report.live_monitoring: the rows of a campaign and channel add up to its not_sent.';
comment on column report.live_monitoring_reason.account is 'Account (organisation).';
comment on column report.live_monitoring_reason.campaign_id is 'Campaign, or (none).';
comment on column report.live_monitoring_reason.channel is 'email, sms or ivr.';
comment on column report.live_monitoring_reason.category is 'internally_suppressed, incomplete_or_invalid, system_error or other.';
comment on column report.live_monitoring_reason.reason is 'The reason, a word of section 4 of the design; unclassified where the campaign system''s word is not known.';
comment on column report.live_monitoring_reason.message_count is 'Messages not sent (count).';

grant select on fact.counted_message to waybill_loader, waybill_reporter;
grant select, insert, update, delete on fact.live_count, fact.live_reason to waybill_loader, waybill_reporter;
grant select, insert, update, delete on fact.live_engagement to waybill_reporter;
grant select, insert on ops.changed_engagement to waybill_loader;
grant select, delete on ops.changed_engagement to waybill_reporter;
grant select, insert, update on ops.account_as_of to waybill_loader;
grant select on ops.account_as_of to waybill_reporter;
grant select on report.live_monitoring, report.live_monitoring_reason
    to waybill_reporter, waybill_bi_reader, waybill_support_reader;

-- Last, because from here on no load can publish: what is there is counted. Readers of reports go on.
lock table fact.message in share mode;
create temporary table counted on commit drop as
select
    account,
    campaign_id,
    channel,
    category,
    reason,
    sum(targeted) as targeted,
    sum(sent) as sent,
    sum(delivered) as delivered,
    sum(bounced_hard) as bounced_hard,
    sum(bounced_soft) as bounced_soft,
    sum(not_delivered) as not_delivered,
    sum(in_gateway) as in_gateway,
    sum(opened) as opened,
    sum(clicked) as clicked,
    sum(marked_spam) as marked_spam,
    sum(marked_unsubscribed) as marked_unsubscribed,
    sum(not_sent) as not_sent,
    sum(not_sent_internally_suppressed) as not_sent_internally_suppressed,
    sum(not_sent_incomplete_or_invalid) as not_sent_incomplete_or_invalid,
    sum(not_sent_system_error) as not_sent_system_error,
    sum(not_sent_other) as not_sent_other,
    sum(in_progress_queued) as in_progress_queued,
    sum(in_progress_about_to_be_sent) as in_progress_about_to_be_sent,
    sum(message_count) as message_count
from fact.counted_message
group by account, campaign_id, channel, category, reason;

insert into fact.live_count
select
    account,
    campaign_id,
    channel,
    sum(targeted),
    sum(sent),
    sum(delivered),
    sum(bounced_hard),
    sum(bounced_soft),
    sum(not_delivered),
    sum(in_gateway),
    sum(marked_spam),
    sum(marked_unsubscribed),
    sum(not_sent),
    sum(not_sent_internally_suppressed),
    sum(not_sent_incomplete_or_invalid),
    sum(not_sent_system_error),
    sum(not_sent_other),
    sum(in_progress_queued),
    sum(in_progress_about_to_be_sent)
from counted
group by account, campaign_id, channel
order by account, campaign_id, channel;

insert into fact.live_reason
select account, campaign_id, channel, category, reason, message_count
from counted
where message_count <> 0
order by account, campaign_id, channel, category, reason;

insert into fact.live_engagement
select account, campaign_id, channel, sum(delivered), sum(opened), sum(clicked)
from counted
group by account, campaign_id, channel
having sum(delivered) <> 0 or sum(opened) <> 0 or sum(clicked) <> 0
order by account, campaign_id, channel;

insert into ops.account_as_of (account, delivery_as_of)
select live.account, coalesce(own.ended_at, newest.ended_at, clock_timestamp())
from (select account from fact.live_count group by account) as live
left join (
    select account collate "C" as account, max(ended_at) as ended_at
    from ops.load
    where status = 'published'
    group by account
) as own on own.account = live.account
cross join (select max(ended_at) as ended_at from ops.load where status = 'published') as newest
order by live.account;
