-- Schemas, and the five roles of section 14. Logins are granted membership: `grant waybill_bi_reader to superset`.
-- Roles belong to the whole server, so they may be there already.
do $$
declare
    role_name text;
begin
    foreach role_name in array array[
        'waybill_owner', 'waybill_loader', 'waybill_reporter', 'waybill_bi_reader', 'waybill_support_reader'
    ] loop
        begin
            execute format('create role %I nologin', role_name);
        exception when duplicate_object or unique_violation then
            null;
        end;
        -- a login that may make roles, but is no superuser, needs to be a member to act as them
        if not (select rolsuper from pg_roles where rolname = current_user) then
            execute format('grant %I to %I', role_name, current_user);
        end if;
    end loop;
end
$$;

create schema private authorization waybill_owner;
create schema fact authorization waybill_owner;
create schema staging authorization waybill_owner;
create schema report authorization waybill_owner;
alter schema ops owner to waybill_owner;

comment on schema ops is 'Ledger of loads and builds, landed objects, validation results, settings of the warehouse.';
comment on schema private is 'Clear addresses and the raw bytes of rejected records. Only the loader and the support reader may look.';
comment on schema fact is 'Canonical events, and the legs and messages that follow from them. No clear addresses.';
comment on schema staging is 'Tables of one load or one build alone; disposable.';
comment on schema report is 'The reports that BI tools read.';

grant usage on schema ops, private, fact, report to waybill_loader;
grant usage, create on schema staging to waybill_loader, waybill_reporter;
grant usage on schema ops, fact, report to waybill_reporter;
grant usage on schema report to waybill_bi_reader, waybill_support_reader;
grant usage on schema private to waybill_support_reader;

comment on table ops.migration is 'Files of sql/schema that were applied, each once.';
comment on column ops.migration.name is 'File name.';
comment on column ops.migration.checksum is 'SHA-256 of the file, hexadecimal; a changed file is refused.';
comment on column ops.migration.applied_at is 'When (UTC).';
grant select on ops.migration to waybill_loader, waybill_reporter;
