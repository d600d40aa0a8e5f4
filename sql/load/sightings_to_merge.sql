-- The sightings of every key that needs a merge, ordered by key, with the columns of fact.event in its order.
-- reads: key_to_merge, staged_event, fact.event
-- params: first, last
with
sighting as (
    select s.*
    from key_to_merge as k
    inner join staged_event as s on s.event_key = k.event_key
    union all
    select e.*
    from key_to_merge as k
    inner join fact.event as e on e.event_key = k.event_key
    where k.is_folded and e.event_key between %(first)s and %(last)s
)

select *
from sighting
order by event_key;
