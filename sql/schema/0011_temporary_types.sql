-- Whoever may make temporary things can make a type of any name, and Postgres looks for types among them first unless
-- they are named last. A domain pg_temp.uuid with a check of a BI reader's making ran with the owner's rights.
alter function fact.ensure_partitions set search_path = pg_catalog, pg_temp;
alter function fact.timeline set search_path = pg_catalog, pg_temp;
alter function fact.failure set search_path = pg_catalog, pg_temp;
