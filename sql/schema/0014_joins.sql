-- What joins and what does not: messages that the dispatch log says were handed over and of which the gateway never
-- spoke, and messages of a gateway that the dispatch log does not know. Kept by the day, by differences, at every load:
-- to read it costs rows by the day, however many messages there are.
alter table ops.feed
    add column provider text,
    add column channel text,
    add column lateness interval;
comment on column ops.feed.provider is 'Provider whose feed it is, or dispatch.';
comment on column ops.feed.channel is 'email, sms or ivr; all: each record says which.';
comment on column ops.feed.lateness is 'How late its records may come.';
-- What the feeds say of themselves today; from here on each load states it.
update ops.feed as feed
set provider = stated.provider, channel = stated.channel, lateness = interval '3 days'
from (
    values
    ('dispatch_log', 'dispatch', 'all'),
    ('sendgrid_events', 'sendgrid', 'email'),
    ('twilio_calls', 'twilio', 'ivr'),
    ('twilio_messages', 'twilio', 'sms')
) as stated (feed, provider, channel)
where feed.feed = stated.feed;

create table fact.join_count (
    account text collate "C" not null,
    channel text collate "C" not null,
    gateway text collate "C" not null,
    day date not null,
    dispatched bigint not null,
    handed_over bigint not null,
    handed_over_unseen bigint not null,
    gateway_message bigint not null,
    gateway_message_undispatched bigint not null,
    primary key (account, channel, gateway, day)
);
comment on table fact.join_count is 'fact.counted_join summed up by the day. Each load adds its differences, and removes rows that come to zero; a full rebuild recounts.';
comment on column fact.join_count.account is 'Account.';
comment on column fact.join_count.channel is 'email, sms or ivr.';
comment on column fact.join_count.gateway is 'Provider of the message, as fact.message.provider; (none) without one.';
comment on column fact.join_count.day is 'UTC day on which the message was sent; of one that was not sent, of its first event.';
comment on column fact.join_count.dispatched is 'Messages with a row in the dispatch log (count).';
comment on column fact.join_count.handed_over is 'Messages that the dispatch log says were handed over (count).';
comment on column fact.join_count.handed_over_unseen is 'Of them, messages without an event of a gateway (count).';
comment on column fact.join_count.gateway_message is 'Messages with an event of a gateway (count).';
comment on column fact.join_count.gateway_message_undispatched is 'Of them, messages without a row in the dispatch log (count).';

create view fact.counted_join as
select
    message.message_key,
    message.account,
    message.channel,
    left(coalesce(message.provider, '(none)'), 200) as gateway, -- of names that an older release took no index takes more
    (coalesce(message.sent_at, legs.first_event_at) at time zone 'UTC')::date as day,
    case when legs.is_dispatched then 1 else 0 end as dispatched,
    case when legs.is_handed_over then 1 else 0 end as handed_over,
    case when legs.is_handed_over and not legs.is_of_gateway then 1 else 0 end as handed_over_unseen,
    case when legs.is_of_gateway then 1 else 0 end as gateway_message,
    case when legs.is_of_gateway and not legs.is_dispatched then 1 else 0 end as gateway_message_undispatched
from fact.message as message
cross join lateral (
    select
        min(leg.first_event_at) as first_event_at,
        bool_or(leg.provider = 'dispatch') as is_dispatched,
        bool_or(leg.last_handed_over_at is not null) as is_handed_over,
        -- a copy is not the message to whom it is meant for
        bool_or(leg.provider <> 'dispatch' and not leg.is_copy) as is_of_gateway
    from fact.leg as leg
    where leg.message_key = message.message_key
) as legs
where legs.first_event_at is not null;
comment on view fact.counted_join is 'What each message counts as in fact.join_count: the only definition, for loads (before and after), recounts and examples.';
comment on column fact.counted_join.message_key is 'Key of the message.';
comment on column fact.counted_join.account is 'Account.';
comment on column fact.counted_join.channel is 'email, sms or ivr.';
comment on column fact.counted_join.gateway is 'Provider of the message; (none) without one.';
comment on column fact.counted_join.day is 'UTC day on which it was sent; not sent: of its first event.';
comment on column fact.counted_join.dispatched is '1 with a row in the dispatch log, else 0.';
comment on column fact.counted_join.handed_over is '1 where the dispatch log says that it was handed over.';
comment on column fact.counted_join.handed_over_unseen is '1 where it was handed over and no gateway has an event of it.';
comment on column fact.counted_join.gateway_message is '1 with an event of a gateway.';
comment on column fact.counted_join.gateway_message_undispatched is '1 with an event of a gateway and no row in the dispatch log.';

create view fact.join_day as
with
log_start as (
    select account, min(day) as first_day
    from fact.join_count
    where dispatched > 0
    group by account
),

gateway_feed as (
    select distinct on (feed.provider, channel.channel)
        feed.provider collate "C" as provider,
        channel.channel collate "C" as channel,
        feed.feed collate "C" as feed,
        ((now() - feed.lateness) at time zone 'UTC')::date as due_before
    from ops.feed as feed
    inner join (values ('email'), ('sms'), ('ivr')) as channel (channel) on feed.channel in (channel.channel, 'all')
    where feed.provider <> 'dispatch'
    order by feed.provider, channel.channel, feed.feed
),

counted as (
    select
        counted.account,
        coalesce(gateway_feed.feed, 'dispatch_log') as feed,
        counted.channel,
        counted.gateway,
        counted.day,
        counted.day < coalesce(gateway_feed.due_before, ((now() - interval '3 days') at time zone 'UTC')::date)
            as is_due,
        coalesce(counted.day >= log_start.first_day, false) as is_logged,
        counted.handed_over,
        counted.handed_over_unseen,
        counted.gateway_message,
        counted.gateway_message_undispatched
    from fact.join_count as counted
    left join gateway_feed on gateway_feed.provider = counted.gateway and gateway_feed.channel = counted.channel
    left join log_start on log_start.account = counted.account
)

select
    account,
    feed,
    channel,
    gateway,
    day,
    is_due,
    case when is_due then handed_over else 0 end as handed_over,
    case when is_due then handed_over_unseen else 0 end as handed_over_unseen,
    case when is_logged then gateway_message else 0 end as gateway_message,
    case when is_logged then gateway_message_undispatched else 0 end as gateway_message_undispatched
from counted;
comment on view fact.join_day is 'fact.join_count as it is to be read: by feed; hand-overs once the feed of their gateway has had its time, messages of a gateway from the day on at which the dispatch log of the account begins.';
comment on column fact.join_day.account is 'Account.';
comment on column fact.join_day.feed is 'Feed of the gateway; dispatch_log where the gateway has none here.';
comment on column fact.join_day.channel is 'email, sms or ivr.';
comment on column fact.join_day.gateway is 'Provider of the messages; (none) without one.';
comment on column fact.join_day.day is 'UTC day.';
comment on column fact.join_day.is_due is 'The day, and the lateness of the feed after it, are over.';
comment on column fact.join_day.handed_over is 'Messages that the dispatch log says were handed over (count); 0 before the day is due.';
comment on column fact.join_day.handed_over_unseen is 'Of them, messages of which the gateway never spoke (count).';
comment on column fact.join_day.gateway_message is 'Messages of the gateway (count); 0 before the dispatch log begins.';
comment on column fact.join_day.gateway_message_undispatched is 'Of them, messages without a row in the dispatch log (count).';

create or replace view report.freshness as
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
pulled as (
    select account collate "C" as account, feed collate "C" as feed, complete_until
    from ops.watermark
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
),
joined as (
    select
        account,
        feed,
        sum(handed_over)::bigint as handed_over_count,
        sum(handed_over_unseen)::bigint as handed_over_unseen_count,
        sum(gateway_message)::bigint as gateway_message_count,
        sum(gateway_message_undispatched)::bigint as gateway_message_undispatched_count
    from fact.join_day
    group by account, feed
),
known as (
    select account, feed from landed
    union
    select account, feed from loaded
    union
    select account, feed from pulled
    union
    -- a gateway that the dispatch log names, and of which nothing was ever loaded
    select account, feed from joined where handed_over_unseen_count > 0
)
select
    known.account,
    known.feed,
    case
        when feed.kind = 'files' then coalesce(landed.first_unpublished_at, landed.last_landed_at)
        else pulled.complete_until
    end as complete_until,
    loaded.last_loaded_at,
    to_timestamp(landed.last_key_milliseconds / 1000.0) as last_event_at,
    coalesce(unattributed.unattributed_count, 0) as unattributed_count,
    coalesce(rejected.rejected_count, 0) as rejected_count,
    coalesce(unknown.unknown_count, 0) as unknown_count,
    report_state.stale_reason,
    coalesce(joined.handed_over_count, 0) as handed_over_count,
    coalesce(joined.handed_over_unseen_count, 0) as handed_over_unseen_count,
    coalesce(joined.gateway_message_count, 0) as gateway_message_count,
    coalesce(joined.gateway_message_undispatched_count, 0) as gateway_message_undispatched_count
from known
cross join ops.report_state as report_state
left join landed on landed.account = known.account and landed.feed = known.feed
left join loaded on loaded.account = known.account and loaded.feed = known.feed
left join pulled on pulled.account = known.account and pulled.feed = known.feed
left join ops.feed as feed on feed.feed collate "C" = known.feed
left join unattributed on unattributed.account = known.account and unattributed.feed = known.feed
left join rejected on rejected.account = known.account and rejected.feed = known.feed
left join unknown on unknown.account = known.account and unknown.feed = known.feed
left join joined on joined.account = known.account and joined.feed = known.feed;
comment on column report.freshness.handed_over_count is 'Messages that the dispatch log says were handed over to the gateway of this feed, so long ago that the feed should have told of them (count, all time; whole UTC days). Of a gateway that has no feed here: on the row of dispatch_log.';
comment on column report.freshness.handed_over_unseen_count is 'Of handed_over_count, messages of which the gateway never spoke (count): lost, or not joined; `waybill status --joins` gives examples.';
comment on column report.freshness.gateway_message_count is 'Messages of the gateway of this feed since the UTC day on which the dispatch log of the account begins (count); 0 without a dispatch log.';
comment on column report.freshness.gateway_message_undispatched_count is 'Of gateway_message_count, messages without a row in the dispatch log (count): sent past it, or not joined.';

grant select, insert, update, delete on fact.join_count to waybill_loader, waybill_reporter;
grant select on fact.counted_join, fact.join_day to waybill_loader, waybill_reporter;

-- Last, because from here on no load can publish: what is there is counted. Readers of reports go on.
lock table fact.message in share mode;
insert into fact.join_count
select
    account,
    channel,
    gateway,
    day,
    sum(dispatched),
    sum(handed_over),
    sum(handed_over_unseen),
    sum(gateway_message),
    sum(gateway_message_undispatched)
from fact.counted_join
group by account, channel, gateway, day
order by account, channel, gateway, day;
