-- touched_message: the messages of the touched and moved legs, before and after this load.
-- reads: touched_leg, fact.leg (before this load), leg_after, moved_leg
create temporary table touched_message on commit drop as
with
membership as (
    select l.message_key
    from touched_leg as t
    inner join fact.leg as l on l.leg_key = t.leg_key
    where l.message_key is not null
    union all
    select message_key from leg_after where message_key is not null
    union all
    select message_key from moved_leg
    union all
    select old_message_key from moved_leg
)

select message_key
from membership
group by message_key;

create unique index on touched_message (message_key);
analyze touched_message;
