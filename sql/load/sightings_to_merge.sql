-- The sightings of every key that needs a merge, key by key.
with
sighting as (
    select {s_columns}
    from key_to_merge as k
    inner join {staging} as s on s.event_key = k.event_key
    union all
    select {e_columns}
    from key_to_merge as k
    inner join fact.event as e on e.event_key = k.event_key
    where k.is_folded and e.event_key between %(first)s and %(last)s
)

select {s_columns}
from sighting as s
order by s.event_key;
