-- touched_leg: the legs that this load may change.
-- is_recomputed: an event of the leg was revised or removed. Least and greatest cannot be undone, so the leg is
-- computed again from all its events. New events of other legs are folded into the stored leg.
-- reads: inserted_event (new events of this load), revised_leg (legs of revised and removed events)
create temporary table touched_leg on commit drop as
with
named as (
    select leg_key, false as is_recomputed from inserted_event where leg_key is not null
    union all
    select named_leg_key, false from inserted_event where named_leg_key is not null
    union all
    select leg_key, true from revised_leg where leg_key is not null
)

select leg_key, bool_or(is_recomputed) as is_recomputed
from named
group by leg_key;

create unique index on touched_leg (leg_key);
analyze touched_leg;
