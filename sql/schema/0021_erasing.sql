-- People who were erased. Their keys stay, so that no later load stores their clear addresses again.
create table private.erased_recipient (
    recipient_key bytea primary key,
    account text not null,
    erased_at timestamptz not null default clock_timestamp()
);
comment on table private.erased_recipient is
    'People who were erased. No load stores a clear address for these keys.';
comment on column private.erased_recipient.recipient_key is 'As in private.recipient.';
comment on column private.erased_recipient.account is 'Account.';
comment on column private.erased_recipient.erased_at is 'When the person was erased first (UTC).';
grant select, insert on private.erased_recipient to waybill_loader;
grant update (raw, sha256) on private.rejected_record to waybill_loader;
comment on column private.rejected_record.raw is 'The bytes as received. Empty: they named a person who was erased.';
comment on column private.rejected_record.sha256 is
    'SHA-256 of the raw bytes, hexadecimal. Of the bytes of an erased person: a keyed hash.';
