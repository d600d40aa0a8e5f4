-- Clear addresses and raw bytes: the only place for both.
create table private.recipient (
    recipient_key bytea primary key,
    account text not null,
    address text not null
);
comment on table private.recipient is 'The clear address behind a recipient_key. Erasing a person begins here.';
comment on column private.recipient.recipient_key is 'HMAC-SHA256 of (account, address) under RECIPIENT_HMAC_KEY.';
comment on column private.recipient.account is 'Account.';
comment on column private.recipient.address is 'Normalised: email trimmed and lower case, phone as + and digits.';

create table private.rejected_record (
    rejected_id bigint generated always as identity primary key,
    account text not null,
    feed text not null,
    sha256 text not null,
    reason text not null,
    raw bytea not null,
    object_id bigint references ops.object,
    position bigint not null,
    load_id bigint not null references ops.load,
    rejected_at timestamptz not null default clock_timestamp(),
    resolved_load_id bigint references ops.load,
    unique (account, feed, sha256)
);
comment on table private.rejected_record is 'Records that could not be normalised, each once, with their raw bytes.';
comment on column private.rejected_record.rejected_id is 'Number of the rejected record.';
comment on column private.rejected_record.account is 'Account of the feed.';
comment on column private.rejected_record.feed is 'Feed slug.';
comment on column private.rejected_record.sha256 is 'SHA-256 of the raw bytes, hexadecimal.';
comment on column private.rejected_record.reason is 'Why; never holds values of people.';
comment on column private.rejected_record.raw is 'The bytes as received.';
comment on column private.rejected_record.object_id is 'Landed object in which it was seen first.';
comment on column private.rejected_record.position is 'Line or element in that object, from 1.';
comment on column private.rejected_record.load_id is 'Load that rejected it first.';
comment on column private.rejected_record.rejected_at is 'When (UTC).';
comment on column private.rejected_record.resolved_load_id is 'Load that could map it later; null while it stays rejected.';

grant select, insert, delete on private.recipient to waybill_loader;
grant select, insert on private.rejected_record to waybill_loader;
grant update (resolved_load_id) on private.rejected_record to waybill_loader;
grant select on private.recipient to waybill_support_reader;
