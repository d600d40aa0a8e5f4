-- report: email_engagement_daily
-- grain: event_day, account, provider, campaign_id, mailbox_provider
-- reads: fact.event, fact.leg, fact.message
-- params: days (date[], null: every day), report_timezone
-- why: what recipients did on a day, whenever the email was sent; opens and clicks count events, the unique variants
--      count emails of one gateway on the day of the first event
with
-- One range of the index on event_at for each built day. If the clock is set back around midnight, up to three hours of
-- a local day can be outside of its usual range, so the range is longer; the exact day is selected below.
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

engagement as (
    select
        event.leg_key,
        (event.event_at at time zone %(report_timezone)s)::date as event_day,
        event.event_type,
        event.is_machine is true as is_machine,
        event.is_machine is not true and event.machine_rule is not null as is_suspected
    from built_range
    inner join fact.event as event
        on event.event_at >= built_range.from_at
        and event.event_at < built_range.until_at
        and event.event_type in ('opened', 'clicked', 'unsubscribed')
    where
        event.channel = 'email'
        and event.leg_key is not null
        and (
            built_range.day is null
            or (event.event_at at time zone %(report_timezone)s)::date = built_range.day
        )
),

leg_day as (
    select
        leg_key,
        event_day,
        count(*) filter (where event_type = 'opened') as open_count,
        count(*) filter (where event_type = 'opened' and is_machine) as machine_open_count,
        count(*) filter (where event_type = 'clicked') as click_count,
        count(*) filter (where event_type = 'clicked' and is_machine) as machine_click_count,
        count(*) filter (where event_type = 'unsubscribed') as unsubscribe_count,
        count(*) filter (where event_type = 'opened' and is_suspected) as suspected_machine_open_count,
        count(*) filter (where event_type = 'clicked' and is_suspected) as suspected_machine_click_count
    from engagement
    group by leg_key, event_day
),

leg_day_named as (
    select
        leg_day.event_day,
        leg.account,
        leg.provider,
        coalesce(message.campaign_id, '(none)') as campaign_id,
        coalesce(message.mailbox_provider, '(none)') as mailbox_provider,
        leg_day.open_count,
        leg_day.machine_open_count,
        (leg.first_opened_at at time zone %(report_timezone)s)::date = leg_day.event_day as is_first_open_day,
        (leg.first_human_opened_at at time zone %(report_timezone)s)::date = leg_day.event_day
            as is_first_human_open_day,
        leg_day.click_count,
        leg_day.machine_click_count,
        (leg.first_clicked_at at time zone %(report_timezone)s)::date = leg_day.event_day as is_first_click_day,
        leg_day.unsubscribe_count,
        leg_day.suspected_machine_open_count,
        leg_day.suspected_machine_click_count
    from leg_day
    inner join fact.leg as leg on leg.leg_key = leg_day.leg_key
    inner join fact.message as message on message.message_key = leg.message_key
)

select
    event_day,
    account,
    provider,
    campaign_id,
    mailbox_provider,
    sum(open_count)::bigint as open_count,
    sum(machine_open_count)::bigint as machine_open_count,
    count(*) filter (where is_first_open_day) as unique_open_count,
    count(*) filter (where is_first_human_open_day) as unique_human_open_count,
    sum(click_count)::bigint as click_count,
    sum(machine_click_count)::bigint as machine_click_count,
    count(*) filter (where is_first_click_day) as unique_click_count,
    sum(unsubscribe_count)::bigint as unsubscribe_count,
    sum(suspected_machine_open_count)::bigint as suspected_machine_open_count,
    sum(suspected_machine_click_count)::bigint as suspected_machine_click_count
from leg_day_named
group by event_day, account, provider, campaign_id, mailbox_provider
