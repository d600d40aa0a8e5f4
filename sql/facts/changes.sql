-- Changes that a load makes to legs, messages and their days.

-- name: note_days_before
-- day_before: the days of the touched messages before this load.
create temporary table day_before on commit drop as
select distinct day
from touched_message
inner join fact.message using (message_key)
cross join lateral unnest(days) as day;

-- name: move_legs
-- Moves legs that the load did not touch, but that now join another message, to that message.
update fact.leg as l
set message_key = m.message_key, is_copy = m.is_copy
from moved_leg as m
where m.leg_key = l.leg_key;

-- name: write_changed_days
-- Stores the days of changed messages, before and after the load, for the next build.
-- params: load_id
insert into ops.changed_day (load_id, day)
select %(load_id)s, day
from day_before
union
select %(load_id)s, day
from message_after
cross join lateral unnest(days) as day;

-- name: touch_every_leg
-- touched_leg: every leg of an event or of the dispatch log, for a computation from all events.
create temporary table inserted_event (like fact.event) on commit drop;

create temporary table touched_leg on commit drop as
with
named as (
    select leg_key from fact.event where leg_key is not null
    union all
    select named_leg_key from fact.event where named_leg_key is not null
    union all
    select leg_key from fact.leg
)

select leg_key, true as is_recomputed
from named
group by leg_key;

create unique index on touched_leg (leg_key);
analyze touched_leg;

-- name: touch_every_message
-- touched_message: every message.
create temporary table touched_message on commit drop as
select message_key from fact.message;

-- name: write_days
-- Writes the days of messages. Another zone changes nothing else, and a builder may write nothing else.
update fact.message as m
set sent_day = a.sent_day, days = a.days
from message_after as a
where a.message_key = m.message_key and (m.sent_day, m.days) is distinct from (a.sent_day, a.days);

-- name: note_as_of
-- Stores the time of a load for these accounts and the load's own, just before its commit.
-- params: accounts, load_id
insert into ops.account_as_of as noted (account, delivery_as_of)
select account, statement_timestamp()
from (
    select unnest(%(accounts)s::text[]) as account
    union
    select account from ops.load where load_id = %(load_id)s
) as held
order by account
on conflict (account) do update
set delivery_as_of = greatest(noted.delivery_as_of, excluded.delivery_as_of);
