-- inserted_event: the events of this load that are new; they are written in key order.
-- revised_event: those that were there and now say something else; they are updated. Unchanged ones are not written.
-- revised_leg: the legs of revised events, which must be computed again.
create temporary table inserted_event on commit drop as
select {s_columns}
from resolved_key as r
inner join {staging} as s on s.event_key = r.event_key
where not r.is_known and r.sighting_count = 1
union all
select {s_columns}
from merged_event as s
inner join resolved_key as r on r.event_key = s.event_key
where not r.is_known;

analyze inserted_event (event_key, leg_key, named_leg_key);

create temporary table revised_event on commit drop as
with
told as (
    select {s_columns}
    from resolved_key as r
    inner join {staging} as s on s.event_key = r.event_key
    where r.is_replaced and r.sighting_count = 1
    union all
    select {s_columns}
    from merged_event as s
    inner join resolved_key as r on r.event_key = s.event_key
    where r.is_known
)

select
    {f_columns},
    e.leg_key as old_leg_key,
    e.named_leg_key as old_named_leg_key,
    e.recipient_key as old_recipient_key
from told as f
inner join fact.event as e on e.event_key = f.event_key
where e.event_key between %(first)s and %(last)s and {f_row} is distinct from {e_row};

create temporary table revised_leg on commit drop as
select leg_key from revised_event
union
select named_leg_key from revised_event
union
select old_leg_key from revised_event
union
select old_named_leg_key from revised_event;

insert into fact.event ({columns})
select {columns}
from inserted_event
order by event_key;

update fact.event as e
set {assignments}
from revised_event as f
where e.event_key = f.event_key and e.event_key between %(first)s and %(last)s;
