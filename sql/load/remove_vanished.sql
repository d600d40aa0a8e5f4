-- Take back the events of a replayed range that no landed record tells any more.
with
removed as (
    delete from fact.event as e
    where
        e.event_key >= %(range_first)s::uuid
        and e.event_key < %(range_until)s::uuid
        and e.account = coalesce(%(account)s, e.account)
        and e.provider = %(provider)s
        and not exists (select from resolved_key as r where r.event_key = e.event_key)
    returning e.leg_key, e.named_leg_key
),

noted as (
    insert into revised_leg (leg_key)
    select leg_key from removed
    union all
    select named_leg_key from removed
)

select count(*) from removed;
