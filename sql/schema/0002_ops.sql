-- What was loaded, from which objects, what was found, and which days wait for a build.
create table ops.setting (
    name text primary key,
    value text not null
);
comment on table ops.setting is 'Settings that belong to the warehouse itself.';
comment on column ops.setting.name is 'key_fingerprint: name of the secret all keys were made with. report_timezone: zone of all local days.';
comment on column ops.setting.value is 'The value.';

create table ops.rules (
    feed text primary key,
    version integer not null
);
comment on table ops.rules is 'The newest rules version that derived events of each feed. Older code is refused, so that it cannot overwrite newer.';
comment on column ops.rules.feed is 'Feed slug.';
comment on column ops.rules.version is 'Rules version.';

create table ops.object (
    object_id bigint generated always as identity primary key,
    account text not null,
    feed text not null,
    sha256 text not null,
    path text not null,
    byte_count bigint not null,
    landed_at timestamptz not null,
    unique (account, feed, sha256)
);
comment on table ops.object is 'Landed objects: immutable bytes as received, named by their content.';
comment on column ops.object.object_id is 'Number of the object.';
comment on column ops.object.account is 'Account that the object was landed for.';
comment on column ops.object.feed is 'Feed slug.';
comment on column ops.object.sha256 is 'SHA-256 of the bytes, hexadecimal.';
comment on column ops.object.path is 'Where it lies, relative to LANDING_URL.';
comment on column ops.object.byte_count is 'Bytes.';
comment on column ops.object.landed_at is 'When it was landed first (UTC). A record may lie at most one day ahead of it.';

create table ops.load (
    load_id bigint generated always as identity primary key,
    account text not null,
    feed text not null,
    kind text not null check (kind in ('load', 'replay')),
    digest text not null,
    rules_version integer not null,
    code_version text not null,
    status text not null check (status in ('staging', 'published', 'stopped')),
    stop_reason text,
    started_at timestamptz not null default clock_timestamp(),
    ended_at timestamptz,
    read_count bigint,
    loaded_count bigint,
    duplicate_count bigint,
    rejected_count bigint,
    ignored_count bigint,
    mapped_count bigint,
    inserted_count bigint,
    revised_count bigint,
    unchanged_count bigint,
    removed_count bigint,
    unknown_count bigint,
    check (status <> 'published' or read_count = loaded_count + duplicate_count + rejected_count + ignored_count),
    check (status <> 'published' or mapped_count = inserted_count + revised_count + unchanged_count)
);
create index load_feed on ops.load (account, feed, load_id);
comment on table ops.load is 'The ledger: one row per load. In records: read = loaded + duplicate + rejected + ignored. In events: mapped = inserted + revised + unchanged.';
comment on column ops.load.load_id is 'Number of the load.';
comment on column ops.load.account is 'Account of the feed.';
comment on column ops.load.feed is 'Feed slug.';
comment on column ops.load.kind is 'load: new objects. replay: landed objects again, replacing the events of a key range.';
comment on column ops.load.digest is 'SHA-256 over the SHA-256 of the objects of this load, in order.';
comment on column ops.load.rules_version is 'Version of the rules that derived its events.';
comment on column ops.load.code_version is 'Version of Waybill.';
comment on column ops.load.status is 'staging: under way, or died. published: committed. stopped: by the gate or the ceiling; no fact was written.';
comment on column ops.load.stop_reason is 'Why it was stopped.';
comment on column ops.load.started_at is 'Start (UTC).';
comment on column ops.load.ended_at is 'End (UTC).';
comment on column ops.load.read_count is 'Records read.';
comment on column ops.load.loaded_count is 'Records that brought at least one new or revised event, as the first of this load to name it.';
comment on column ops.load.duplicate_count is 'Records that told nothing new.';
comment on column ops.load.rejected_count is 'Records that could not be normalised; see private.rejected_record.';
comment on column ops.load.ignored_count is 'Records that are no outbound message (inbound messages, child legs of calls).';
comment on column ops.load.mapped_count is 'Distinct events that the records told.';
comment on column ops.load.inserted_count is 'Events that were new.';
comment on column ops.load.revised_count is 'Events that were there and now say more.';
comment on column ops.load.unchanged_count is 'Events that were there and stayed as they were.';
comment on column ops.load.removed_count is 'Events that a replay took back, because no landed record tells them any more.';
comment on column ops.load.unknown_count is 'Events among the mapped ones whose provider word has no mapping (event_type unknown).';

create table ops.load_object (
    load_id bigint not null references ops.load,
    object_id bigint not null references ops.object,
    first_key uuid,
    last_key uuid,
    record_count bigint not null,
    primary key (load_id, object_id)
);
create index load_object_object on ops.load_object (object_id);
comment on table ops.load_object is 'Which objects a published load held, and the range of event keys in each.';
comment on column ops.load_object.load_id is 'The load.';
comment on column ops.load_object.object_id is 'The object.';
comment on column ops.load_object.first_key is 'Least event key in the object; null if it told no event.';
comment on column ops.load_object.last_key is 'Greatest event key in the object.';
comment on column ops.load_object.record_count is 'Records read from the object.';

create table ops.changed_day (
    load_id bigint not null references ops.load,
    day date not null,
    primary key (load_id, day)
);
comment on table ops.changed_day is 'Local days that loads touched and no build has rebuilt yet.';
comment on column ops.changed_day.load_id is 'The load that touched the day.';
comment on column ops.changed_day.day is 'Local day in the report zone.';

create table ops.validation (
    validation_id bigint generated always as identity primary key,
    subject text not null,
    suite text not null,
    success boolean not null,
    checked_at timestamptz not null default clock_timestamp(),
    results jsonb not null
);
comment on table ops.validation is 'Results of the Great Expectations suites: counts and keys, never values of people.';
comment on column ops.validation.validation_id is 'Number of the validation.';
comment on column ops.validation.subject is 'What was validated: load 7, build 3.';
comment on column ops.validation.suite is 'Name of the suite, a file in expectations/.';
comment on column ops.validation.success is 'No critical rule failed.';
comment on column ops.validation.checked_at is 'When (UTC).';
comment on column ops.validation.results is 'One element per rule: rule, severity, success, counts, message.';

create table ops.build (
    build_id bigint generated always as identity primary key,
    status text not null check (status in ('building', 'published', 'failed')),
    started_at timestamptz not null default clock_timestamp(),
    as_of timestamptz,
    ended_at timestamptz,
    report_timezone text not null,
    days_built date[],
    is_full boolean not null,
    rows_changed bigint,
    code_version text not null,
    failure text
);
comment on table ops.build is 'Every build of the reports, also those that failed or died.';
comment on column ops.build.build_id is 'Number of the build.';
comment on column ops.build.status is 'building: under way, or died. published: its reports are the ones to read. failed: a gate stopped it.';
comment on column ops.build.started_at is 'Start (UTC).';
comment on column ops.build.as_of is 'Time of the snapshot that it read (UTC).';
comment on column ops.build.ended_at is 'End (UTC).';
comment on column ops.build.report_timezone is 'Zone of its local days.';
comment on column ops.build.days_built is 'Days that it rebuilt; null with is_full: all.';
comment on column ops.build.is_full is 'It rebuilt every day.';
comment on column ops.build.rows_changed is 'Report rows deleted, updated or inserted.';
comment on column ops.build.code_version is 'Version of Waybill.';
comment on column ops.build.failure is 'Why it failed.';

create table ops.report_state (
    is_only boolean primary key default true check (is_only),
    stale_reason text,
    stale_since timestamptz
);
insert into ops.report_state (is_only) values (true);
comment on table ops.report_state is 'Whether the reports are older than they should be; one row.';
comment on column ops.report_state.is_only is 'Always true.';
comment on column ops.report_state.stale_reason is 'Why the last build did not publish; null when it did.';
comment on column ops.report_state.stale_since is 'When the first of the failing builds failed (UTC).';

grant select on ops.setting, ops.rules, ops.object, ops.load, ops.load_object, ops.changed_day, ops.validation
    to waybill_loader, waybill_reporter;
grant insert, update on ops.setting, ops.rules, ops.load to waybill_loader;
grant insert on ops.object, ops.load_object, ops.changed_day, ops.validation to waybill_loader;
grant select, insert, update on ops.build, ops.report_state to waybill_reporter;
grant select on ops.build, ops.report_state to waybill_loader;
grant delete on ops.changed_day to waybill_reporter;
grant insert on ops.validation to waybill_reporter;
grant insert, update on ops.setting to waybill_reporter;
