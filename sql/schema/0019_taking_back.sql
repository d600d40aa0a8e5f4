-- Loads that somebody took back, and objects and rejected records that somebody settled.
alter table ops.load drop constraint load_kind_check;
alter table ops.load add constraint load_kind_check check (kind in ('load', 'replay', 'unload'));
alter table ops.load drop constraint load_status_check;
alter table ops.load add constraint load_status_check
    check (status in ('staging', 'staged', 'validated', 'published', 'unloaded', 'superseded', 'stopped'));
comment on column ops.load.kind is
    'load: new objects. replay: landed objects again; it replaces the events of a range of keys. unload: takes'
    ' back the objects of other loads; it reads again the other objects with keys of the same range.';
comment on column ops.load.status is
    'staging, staged, validated: the step is running or done, or the load died. published: committed. '
    'unloaded: published, and taken back later. superseded: another load published the same objects meanwhile.'
    ' stopped: by the gate or the ceiling, or because an object could not be read; no fact of it was written.';
comment on column ops.load.stop_reason is 'Why it was stopped; or why, and by whom, it was unloaded.';

alter table ops.object
    add column left_out text constraint object_left_out_check check (left_out in ('unloaded', 'given_up'));
alter table ops.object add column left_out_at timestamptz;
alter table ops.object add column left_out_by text;
alter table ops.object add column left_out_because text;
comment on column ops.object.left_out is
    'unloaded: its load was taken back; only `waybill load --again` loads it. given_up: it cannot be read, and'
    ' nobody waits for it any more. Null: it counts.';
comment on column ops.object.left_out_at is 'When it was left out (UTC).';
comment on column ops.object.left_out_by is 'Who did it.';
comment on column ops.object.left_out_because is 'Why, without addresses.';
grant update (left_out, left_out_at, left_out_by, left_out_because) on ops.object to waybill_loader;

alter table private.rejected_record add column dismissed_at timestamptz;
alter table private.rejected_record add column dismissed_by text;
alter table private.rejected_record add column dismissed_because text;
comment on column private.rejected_record.dismissed_at is
    'When somebody decided that it needs no care (UTC): it is not counted as unresolved any more. Null: nobody'
    ' did.';
comment on column private.rejected_record.dismissed_by is 'Who decided that.';
comment on column private.rejected_record.dismissed_because is 'Why, without addresses.';
grant update (dismissed_at, dismissed_by, dismissed_because) on private.rejected_record to waybill_loader;
grant delete on private.rejected_record to waybill_loader;

create or replace view report.freshness as
with
-- An object is settled if a published load contains it, or if somebody unloaded it or gave it up.
object_state as (
    select
        object.account collate "C" as account,
        object.feed collate "C" as feed,
        object.landed_at,
        max(load.load_id) is not null or object.left_out is not null as is_settled,
        -- The first 48 bits of an event key are milliseconds: the time that orders the events of the feed.
        max(('x' || left(replace(load_object.last_key::text, '-', ''), 12))::bit(48)::bigint)
            filter (where load.load_id is not null and object.left_out is null) as last_key_milliseconds
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
        min(landed_at) filter (where not is_settled) as first_unpublished_at,
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
    where resolved_load_id is null and dismissed_at is null
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

comment on column report.freshness.complete_until is
    'Feeds that are pulled: end of the windows that are complete without a gap. File feeds: landing time '
    'before which every object is published, unloaded or given up (UTC).';
comment on column report.freshness.rejected_count is
    'Rejected records that are neither resolved nor dismissed (count, all time).';
