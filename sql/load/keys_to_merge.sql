-- key_to_merge: event keys with several sightings in this load, or with a stored event that differs from the sighting.
-- is_folded: the stored event counts as a sighting too (unless a replay replaces it).
-- reads: staged_event (columns of fact.event only, in its order), resolved_key, fact.event
-- params: first, last
-- merged_event: an empty table for the merged events.
create temporary table merged_event (like fact.event) on commit drop;

create temporary table key_to_merge on commit drop as
select r.event_key, r.is_known and not r.is_replaced as is_folded
from resolved_key as r
where
    (
        r.sighting_count > 1
        and (not r.is_known or r.is_replaced)
    )
    or (
        r.is_known
        and not r.is_replaced
        and exists (
            select from staged_event as s
            inner join fact.event as e on e.event_key = s.event_key
            where
                s.event_key = r.event_key
                and e.event_key between %(first)s and %(last)s
                and row(s.*) is distinct from row(e.*)
        )
    );

create unique index on key_to_merge (event_key);
analyze key_to_merge;
