-- Removes the events of a replayed range that no landed record reports any more.
-- recipient_left: the recipients of the removed and the revised events.
create temporary table recipient_left (recipient_key bytea) on commit drop;

with
removed as (
    delete from fact.event as e
    where
        e.event_key >= %(range_first)s::uuid
        and e.event_key < %(range_until)s::uuid
        and e.account = coalesce(%(account)s, e.account)
        and e.provider = %(provider)s
        and not exists (select from resolved_key as r where r.event_key = e.event_key)
    returning e.leg_key, e.named_leg_key, e.recipient_key
),

noted_leg as (
    insert into revised_leg (leg_key)
    select leg_key from removed
    union all
    select named_leg_key from removed
),

noted_recipient as (
    insert into recipient_left (recipient_key)
    select recipient_key from removed where recipient_key is not null
    union
    select old_recipient_key from revised_event where old_recipient_key is distinct from recipient_key
)

select count(*) from removed;
