-- inserted_event: the events of this load that are new; they are written in key order.
-- revised_event: stored events that change; they are updated. Unchanged events are not written.
-- reads: resolved_key, staged_event, merged_event (both with the columns of fact.event, in its order), fact.event
-- params: first, last
-- revised_leg: the legs of revised events; they must be computed again.
create temporary table inserted_event on commit drop as
select s.*
from resolved_key as r
inner join staged_event as s on s.event_key = r.event_key
where not r.is_known and r.sighting_count = 1
union all
select s.*
from merged_event as s
inner join resolved_key as r on r.event_key = s.event_key
where not r.is_known;

analyze inserted_event (event_key, leg_key, named_leg_key);

create temporary table revised_event on commit drop as
with
replacement as (
    select s.*
    from resolved_key as r
    inner join staged_event as s on s.event_key = r.event_key
    where r.is_replaced and r.sighting_count = 1
    union all
    select s.*
    from merged_event as s
    inner join resolved_key as r on r.event_key = s.event_key
    where r.is_known
)

select
    f.*,
    e.leg_key as old_leg_key,
    e.named_leg_key as old_named_leg_key,
    e.recipient_key as old_recipient_key
from replacement as f
inner join fact.event as e on e.event_key = f.event_key
where e.event_key between %(first)s and %(last)s and row(f.*) is distinct from row(e.*);

create temporary table revised_leg on commit drop as
select leg_key from revised_event
union
select named_leg_key from revised_event
union
select old_leg_key from revised_event
union
select old_named_leg_key from revised_event;

insert into fact.event
select *
from inserted_event
order by event_key;
