-- The steps of a load and of a build may be taken by different processes, and what is pulled is noted page by page.
alter table ops.load drop constraint load_status_check;
alter table ops.load add constraint load_status_check
    check (status in ('staging', 'staged', 'validated', 'published', 'superseded', 'stopped'));
alter table ops.load add column pull_id bigint;
alter table ops.load add column staged jsonb;
alter table ops.load add column kept_until timestamptz;
comment on column ops.load.status is 'staging, staged, validated: that step is under way or done, or the load died. published: committed. superseded: another load published the same objects meanwhile. stopped: by the gate or the ceiling; no fact was written.';
comment on column ops.load.pull_id is 'The pull whose objects it loads; null for files given by hand and for replays.';
comment on column ops.load.staged is 'What stage counted, until the load is published or stopped: publish counts again and compares.';
comment on column ops.load.kept_until is 'Until when its staging tables wait for the next step (UTC). Null: no longer than the process that staged them.';

create table ops.pull (
    pull_id bigint generated always as identity primary key,
    account text not null,
    feed text not null,
    from_at timestamptz,
    until_at timestamptz,
    started_at timestamptz not null default clock_timestamp(),
    record_count bigint not null default 0,
    broken text[] not null default '{}',
    pulled_at timestamptz,
    committed_at timestamptz,
    check (from_at < until_at),
    check (until_at <= committed_at)
);
create index pull_feed on ops.pull (account, feed, until_at);
comment on table ops.pull is 'One row per pull: a window of an API feed, or one look into the inbox.';
comment on column ops.pull.pull_id is 'Number of the pull.';
comment on column ops.pull.account is 'Account of the feed.';
comment on column ops.pull.feed is 'Feed slug.';
comment on column ops.pull.from_at is 'Start of the window (UTC, included); null for files.';
comment on column ops.pull.until_at is 'End of the window (UTC, not included); null for files.';
comment on column ops.pull.started_at is 'When it began (UTC).';
comment on column ops.pull.record_count is 'Records on its pages, as often as they were shown; 0 for files, whose records are not counted before they are staged.';
comment on column ops.pull.broken is 'What could not be read, in words: the rest is loaded, the window is not complete.';
comment on column ops.pull.pulled_at is 'When its last page was landed (UTC); null: under way, or died.';
comment on column ops.pull.committed_at is 'When the last of what it landed was published (UTC): from then on its window counts as complete.';

create table ops.pull_page (
    pull_id bigint not null references ops.pull,
    listing text not null,
    page_no integer not null,
    object_id bigint not null references ops.object,
    next_link text,
    primary key (pull_id, listing, page_no)
);
create index pull_page_object on ops.pull_page (object_id);
comment on table ops.pull_page is 'What a pull has landed, page by page: a pull that died goes on behind its last page.';
comment on column ops.pull_page.pull_id is 'The pull.';
comment on column ops.pull_page.listing is 'Which list of the pull, in words; of the inbox: the file.';
comment on column ops.pull_page.page_no is 'Number of the page in its list, from 1.';
comment on column ops.pull_page.object_id is 'The landed bytes.';
comment on column ops.pull_page.next_link is 'Where the next page is, as the provider said, without credentials; null: this was the last.';

create table ops.watermark (
    account text not null,
    feed text not null,
    complete_from timestamptz not null,
    complete_until timestamptz not null,
    primary key (account, feed),
    check (complete_from < complete_until)
);
comment on table ops.watermark is 'How far each API feed is complete: the stretch without a gap of windows whose objects are all published.';
comment on column ops.watermark.account is 'Account of the feed.';
comment on column ops.watermark.feed is 'Feed slug.';
comment on column ops.watermark.complete_from is 'Start of the stretch (UTC).';
comment on column ops.watermark.complete_until is 'End of the stretch (UTC): where the next pull begins, less the lateness of the feed.';

alter table ops.build drop constraint build_status_check;
alter table ops.build add constraint build_status_check
    check (status in ('building', 'validated', 'published', 'failed', 'tried'));
alter table ops.build add column candidates jsonb;
comment on column ops.build.status is 'building, validated: that step is under way or done, or the build died. published: its reports are the ones to read. failed: a gate stopped it. tried: a dry run.';
comment on column ops.build.candidates is 'What it read, until it ends: days, tables and their row counts.';

grant select on ops.pull, ops.pull_page, ops.watermark to waybill_loader, waybill_reporter;
grant insert, update on ops.pull, ops.watermark to waybill_loader;
grant insert on ops.pull_page to waybill_loader;

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
known as (
    select account, feed from landed
    union
    select account, feed from loaded
    union
    select account, feed from pulled
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
    report_state.stale_reason
from known
cross join ops.report_state as report_state
left join landed on landed.account = known.account and landed.feed = known.feed
left join loaded on loaded.account = known.account and loaded.feed = known.feed
left join pulled on pulled.account = known.account and pulled.feed = known.feed
left join ops.feed as feed on feed.feed collate "C" = known.feed
left join unattributed on unattributed.account = known.account and unattributed.feed = known.feed
left join rejected on rejected.account = known.account and rejected.feed = known.feed
left join unknown on unknown.account = known.account and unknown.feed = known.feed;
comment on column report.freshness.complete_until is 'Of a feed that is pulled: end of the windows that are complete without a gap. Of a file feed: landing time before which every discovered object is published (UTC).';
