-- Which rules derived an event stands in the ledger, once for each load (ops.load.rules_version, ops.rules). In every
-- event it made a replay under newer rules write each of them, also those that the newer rules leave as they are.
alter table fact.event drop column rules_version;
