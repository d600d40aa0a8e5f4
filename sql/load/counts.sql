-- The counts of a load. Each is counted separately; no count is computed from the others.
-- reads: staged (the staging table of the load), resolved_key, inserted_event, revised_event
-- In events: mapped, inserted, revised, unchanged. In records: loaded, duplicate.
with
written_key as (
    select event_key from inserted_event
    union all
    select event_key from revised_event
),

loaded_record as (
    select r.first_record_no as record_no
    from written_key as w
    inner join resolved_key as r on r.event_key = w.event_key
    group by r.first_record_no
),

mapped_record as (
    select record_no
    from staged
    group by record_no
)

select
    (select count(*) from resolved_key) as mapped_count,
    (select count(*) from inserted_event) as inserted_count,
    (select count(*) from revised_event) as revised_count,
    (
        select count(*)
        from resolved_key as r
        where r.is_known and not exists (select from revised_event as v where v.event_key = r.event_key)
    ) as unchanged_count,
    (select count(*) from loaded_record) as loaded_record_count,
    (
        select count(*)
        from mapped_record as m
        where not exists (select from loaded_record as l where l.record_no = m.record_no)
    ) as duplicate_record_count;
