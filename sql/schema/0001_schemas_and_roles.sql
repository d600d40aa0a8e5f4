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
    end loop;
end
$$;

create schema ops;
create schema private;
create schema fact;
create schema staging;
create schema report;

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
