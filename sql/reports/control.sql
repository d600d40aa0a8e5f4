-- control: independent counts that the suites compare with the sums of the reports before these are published
-- grain: measure, day
-- reads: fact.event, fact.leg, fact.message
-- params: days (date[], null: every day), report_timezone
-- why: a report that lost rows by a join or a stale day must not be published, so each count here reads the facts in
--      the most direct way. First deliveries, latest failures and prices need all events: they are counted only in a
--      full build, which has the measure recounted
with
built_range as (
    select
        built.day,
        (built.day::timestamp at time zone %(report_timezone)s) - interval '3 hours' as from_at,
        ((built.day + 1)::timestamp at time zone %(report_timezone)s) + interval '3 hours' as until_at
    from unnest(%(days)s::date[]) as built (day)
    union all
    select null::date as day, '-infinity'::timestamptz as from_at, 'infinity'::timestamptz as until_at
    where %(days)s::date[] is null
),

sent as (
    select
        message.channel || counted.word as measure,
        (message.sent_at at time zone %(report_timezone)s)::date as day
    from fact.message as message
    cross join lateral (
        values ('_sent', true), ('_bounced', message.channel = 'sms' and message.state = 'bounced')
    ) as counted (word, is_counted)
    where
        message.sent_at is not null and counted.is_counted
        and (%(days)s::date[] is null or message.days && %(days)s::date[])
),

engaged as (
    select
        event.event_type as measure,
        (event.event_at at time zone %(report_timezone)s)::date as day
    from built_range
    inner join fact.event as event
        on event.event_at >= built_range.from_at
        and event.event_at < built_range.until_at
        and event.event_type in ('opened', 'clicked', 'unsubscribed')
    where
        event.channel = 'email'
        and event.leg_key is not null
        and ((event.event_at at time zone %(report_timezone)s)::date = built_range.day) is not false
),

recounted_leg as (
    select
        leg_key,
        min(channel) as channel,
        min(event_at) filter (where event_type = 'delivered') as delivered_at,
        max(event_at) filter (where event_type in ('bounced', 'dropped')) as failed_at,
        count(*) filter (where event_type = 'clicked') as click_count,
        bool_or(price is not null) as is_priced
    from fact.event
    where
        %(days)s::date[] is null and leg_key is not null
        and (event_type in ('delivered', 'bounced', 'dropped', 'clicked') or price is not null)
    group by leg_key
),

delivered_message as (
    select recounted_leg.channel, message.sent_at, min(recounted_leg.delivered_at) as delivered_at
    from recounted_leg
    inner join fact.leg as leg on leg.leg_key = recounted_leg.leg_key
    left join fact.message as message on message.message_key = leg.message_key
    where recounted_leg.delivered_at is not null and (leg.is_copy and message.ignores_copies) is not true
    group by leg.message_key, recounted_leg.channel, message.sent_at
),

recounted as (
    select counted.measure, (counted.counted_at at time zone %(report_timezone)s)::date as day
    from recounted_leg as leg
    cross join lateral (
        values ('delivered_email_leg', leg.delivered_at), ('failed_email_leg', leg.failed_at)
    ) as counted (measure, counted_at)
    where leg.channel = 'email' and counted.counted_at is not null
    union all
    select counted.measure, (counted.counted_at at time zone %(report_timezone)s)::date as day
    from delivered_message as message
    cross join lateral (
        values (message.channel || '_delivered', message.delivered_at), ('delivered_of_sent', message.sent_at)
    ) as counted (measure, counted_at)
    where counted.counted_at is not null
    union all
    select counted.measure, (message.sent_at at time zone %(report_timezone)s)::date as day
    from recounted_leg
    inner join fact.leg as leg on leg.leg_key = recounted_leg.leg_key
    inner join fact.message as message on message.message_key = leg.message_key
    cross join lateral (
        select 'priced_leg' as measure where recounted_leg.is_priced
        union all
        select 'clicked_of_message' as measure from generate_series(1, recounted_leg.click_count)
        where not (leg.is_copy and message.ignores_copies)
    ) as counted
    where message.sent_at is not null
    union all
    select channel || '_targeted' as measure, null::date as day
    from fact.message where %(days)s::date[] is null
    union all
    select 'recounted' as measure, null::date as day
    where %(days)s::date[] is null
),

counted as (
    select measure, day from sent
    union all
    select measure, day from engaged
    union all
    select measure, day from recounted
)

select
    measure,
    day,
    count(*) as expected
from counted
where %(days)s::date[] is null or day = any (%(days)s::date[])
group by measure, day
