-- Computes the local days of every leg's opens, clicks and unsubscribes in another zone.
-- params: report_timezone
with
engaged as (
    select
        leg_key,
        array_agg(distinct day order by day) as engaged_days
    from (
        select leg_key, (event_at at time zone %(report_timezone)s)::date as day
        from fact.event
        where event_type in ('opened', 'clicked', 'unsubscribed') and leg_key is not null
    ) as engagement
    group by leg_key
)

update fact.leg as l
set engaged_days = e.engaged_days
from engaged as e
where e.leg_key = l.leg_key and l.engaged_days is distinct from e.engaged_days;
