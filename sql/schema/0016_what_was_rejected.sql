-- Which file a landed object came from, why records of a load were rejected, how often, and until when.
alter table ops.object add column source text;
comment on column ops.object.source is 'Path or URL of the file that the object was landed from, addresses redacted; of a page of an API, its request without credentials. Null: landed before this was kept, or from a table.';
grant update (source) on ops.object to waybill_loader;

alter table ops.load add column rejected_reasons jsonb;
comment on column ops.load.rejected_reasons is 'Rejected records of the load by reason: {"reason": count}. Null: it was not counted, or the load is under way.';
comment on column ops.load.status is 'staging, staged, validated: that step is under way or done, or the load died. published: committed. superseded: another load published the same objects meanwhile. stopped: by the gate or the ceiling, or because an object could not be read; no fact of it was written.';

alter table private.rejected_record add column seen_count bigint not null default 1;
alter table private.rejected_record add column acceptable_at timestamptz;
comment on column private.rejected_record.seen_count is 'How often the load that rejected these bytes first held them (count).';
comment on column private.rejected_record.acceptable_at is 'From when on the record is no longer ahead of the clock (UTC): then a load or a replay of its object takes it. Null: another reason rejected it.';
grant update (acceptable_at) on private.rejected_record to waybill_loader;

comment on column ops.object.landed_at is 'When it was landed first (UTC).';

-- Whose rejected records wait, object by object: a load and a replay ask.
create index rejected_record_object on private.rejected_record (object_id) where resolved_load_id is null;
