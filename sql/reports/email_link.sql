-- report: email_link
-- grain: sent_day, account, campaign_id, url
-- reads: fact.event, fact.leg, fact.message
-- params: days (date[], null: every day), report_timezone
-- why: which links of a campaign work; a link is the URL without query and fragment, because these differ between
--      recipients, and at most 500 characters of it, because keys of an index cannot be longer
--      (the build shortens links of more than 1,500 bytes, with a digest at their end)
with
clicked_leg as (
    select
        message.message_key,
        message.sent_day,
        message.account,
        coalesce(message.campaign_id, '(none)') as campaign_id,
        leg.leg_key,
        leg.engaged_days
    from fact.message as message
    inner join fact.leg as leg on leg.message_key = message.message_key
    where
        message.channel = 'email'
        and message.is_clicked
        and leg.first_clicked_at is not null
        and not (leg.is_copy and message.ignores_copies)
        and message.sent_day is not null
        and (
            %(days)s::date[] is null
            or (message.days && %(days)s::date[] and message.sent_day = any (%(days)s::date[]))
        )
),

-- The days on which they were clicked, each with three more hours, as in email_engagement_daily. A look-up by leg
-- would read every month of the history.
clicked_range as (
    select
        engaged.day,
        (engaged.day::timestamp at time zone %(report_timezone)s) - interval '3 hours' as from_at,
        ((engaged.day + 1)::timestamp at time zone %(report_timezone)s) + interval '3 hours' as until_at
    from clicked_leg
    cross join lateral unnest(clicked_leg.engaged_days) as engaged (day)
    where %(days)s::date[] is not null
    group by engaged.day
    union all
    select null::date as day, '-infinity'::timestamptz as from_at, 'infinity'::timestamptz as until_at
    where %(days)s::date[] is null
),

click as materialized (
    select
        event.leg_key,
        coalesce(nullif(left(split_part(split_part(event.url, '?', 1), '#', 1), 500), ''), '(none)') as url,
        event.is_machine is true as is_machine
    from clicked_range
    inner join fact.event as event
        on event.event_at >= clicked_range.from_at
        and event.event_at < clicked_range.until_at
        and event.event_type in ('opened', 'clicked', 'unsubscribed')
    where
        event.event_type = 'clicked'
        and event.leg_key is not null
        and (
            clicked_range.day is null
            or (event.event_at at time zone %(report_timezone)s)::date = clicked_range.day
        )
),

link_of_message as (
    select
        clicked_leg.sent_day,
        clicked_leg.account,
        clicked_leg.campaign_id,
        click.url,
        count(*) as click_count,
        bool_or(not click.is_machine) as is_clicked_human
    from clicked_leg
    inner join click on click.leg_key = clicked_leg.leg_key
    group by
        clicked_leg.message_key, clicked_leg.sent_day, clicked_leg.account, clicked_leg.campaign_id, click.url
)

select
    sent_day,
    account,
    campaign_id,
    url,
    sum(click_count)::bigint as click_count,
    count(*) as unique_click_count,
    count(*) filter (where is_clicked_human) as unique_human_click_count
from link_of_message
group by sent_day, account, campaign_id, url
