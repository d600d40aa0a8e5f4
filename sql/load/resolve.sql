-- resolved_key: every event key of the load, once: how often it was told, by which record first, and whether it is
-- there already. is_replaced: a replay takes it as the staged sightings say, whatever stands there.
-- reads: staged (the staging table of the load), fact.event
-- params: first, last (range of the load's keys, so that only its partitions are looked at); account, provider,
-- range_first, range_until (of a replay, else null)
create temporary table resolved_key on commit drop as
with
told as (
    select event_key, count(*) as sighting_count, min(record_no) as first_record_no
    from staged
    group by event_key
),

there as (
    select e.event_key, e.account, e.provider
    from told as t
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
from told as t
left join there as h on h.event_key = t.event_key;

create unique index on resolved_key (event_key);
analyze resolved_key;
