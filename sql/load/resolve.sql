-- resolved_key: every event key of the load, once, with its number of sightings, its first record, and whether it is
-- stored already. is_replaced: a replay replaces the stored event by the staged sightings.
-- reads: staged (the staging table of the load), fact.event
-- params: first, last (range of the load's keys, so that only its partitions are read); account, provider,
-- range_first, range_until (null unless it is a replay)
create temporary table resolved_key on commit drop as
with
reported as (
    select event_key, count(*) as sighting_count, min(record_no) as first_record_no
    from staged
    group by event_key
),

there as (
    select e.event_key, e.account, e.provider
    from reported as t
    inner join fact.event as e on e.event_key = t.event_key
    where e.event_key between %(first)s and %(last)s
)

select
    t.event_key,
    t.sighting_count,
    t.first_record_no,
    h.event_key is not null as is_known,
    coalesce(
        h.account = coalesce(%(account)s, h.account)
        and h.provider = %(provider)s
        and h.event_key >= %(range_first)s::uuid
        and h.event_key < %(range_until)s::uuid,
        false
    ) as is_replaced
from reported as t
left join there as h on h.event_key = t.event_key;

create unique index on resolved_key (event_key);
analyze resolved_key;
