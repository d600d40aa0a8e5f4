-- message_after: the touched messages, a pure function of their legs. See docs/model.md.
-- A copy counts on its days, but decides nothing if the intended recipient has a gateway leg (is_ignored).
-- reads: touched_message, fact.leg (with this load)
-- params: report_timezone
create temporary table message_after on commit drop as
with
leg as materialized (
    select
        l.*,
        l.provider = 'dispatch' as is_dispatch,
        -- a scalar query, only for copies: Postgres could plan an `exists` as a scan of all legs
        case
            when l.is_copy then
                coalesce(
                    (
                        select true
                        from fact.leg as intended
                        where
                            intended.message_key = l.message_key
                            and intended.provider <> 'dispatch'
                            and not intended.is_copy
                            and intended.recipient_key is not null
                        limit 1
                    ),
                    false
                )
            else false
        end as is_ignored,
        coalesce(l.own_leg_key = l.leg_key, false) as is_own,
        least(l.own_dispatch_id, l.named_dispatch_id) as dispatch_id,
        encode(l.recipient_key, 'hex') as recipient_hex
    from touched_message as t
    inner join fact.leg as l on l.message_key = t.message_key
),

folded as (
    select
        message_key,
        min(account) as account,
        min(channel) as channel,
        -- a leg that joined by the sender's Message-ID adds its events, but not the dispatch id that they may name
        case
            when bool_and(is_own) then min(dispatch_id)
            else min(dispatch_id) filter (where not is_own)
        end as dispatch_id,
        coalesce(max(recipient_hex) filter (where is_dispatch), max(recipient_hex)) as recipient_hex,
        min(campaign_choice) as campaign_choice,
        min(template_choice) as template_choice,
        coalesce(min(mailbox_provider) filter (where is_dispatch), min(mailbox_provider)) as mailbox_provider,
        coalesce(min(country) filter (where is_dispatch), min(country)) as country,
        min(first_gateway_event_at) as sent_at,
        bool_or(is_scheduled) as is_scheduled,
        bool_or(has_other_failure) as has_other_failure,
        bool_or(is_unsubscribed) as is_unsubscribed,
        max(last_delivered_at) as last_delivered_at,
        bool_or(first_opened_at is not null) as has_opened,
        bool_or(first_human_opened_at is not null) as has_human_opened,
        bool_or(first_clicked_at is not null) as has_clicked,
        bool_or(first_human_clicked_at is not null) as has_human_clicked,
        bool_or(first_spam_reported_at is not null) as is_spam_reported,
        sum(segments) as segments,
        sum(duration_seconds) as duration_seconds
    from leg
    where not is_ignored
    group by message_key
),

ignoring as (
    select message_key
    from leg
    where is_ignored
    group by message_key
),

-- the gateway leg that began last
gateway_leg as (
    select distinct on (message_key) message_key, provider
    from leg
    where not is_dispatch and not is_ignored
    order by message_key, first_event_at desc, leg_key desc
),

handed_over as (
    select distinct on (message_key) message_key, last_handed_over_gateway as gateway
    from leg
    where last_handed_over_at is not null and not is_ignored
    order by message_key, last_handed_over_at desc, last_handed_over_key desc
),

suppressed as (
    select distinct on (message_key)
        message_key, last_suppressed_category as category, last_suppressed_reason as reason
    from leg
    where last_suppressed_at is not null and not is_ignored
    order by message_key, last_suppressed_at desc, last_suppressed_key desc
),

-- the deciding failure, if no delivery came later
bounce as (
    select distinct on (message_key)
        message_key,
        last_bounce_at as bounced_at,
        last_bounce_key as failure_key,
        last_bounce_class as failure_class,
        last_bounce_reason as failure_reason
    from leg
    where last_bounce_at is not null and not is_ignored
    order by message_key, last_bounce_at desc, last_bounce_key desc
),

-- the latest of all failures: the failure of the message if no failure decided it
failure as (
    select distinct on (message_key) message_key, last_failure_key as failure_key
    from leg
    where last_failure_at is not null and not is_ignored
    order by message_key, last_failure_at desc, last_failure_key desc
),

unanswered as (
    select distinct on (message_key) message_key, last_unanswered_type as unanswered_type
    from leg
    where last_unanswered_at is not null and not is_ignored
    order by message_key, last_unanswered_at desc, last_unanswered_key desc
),

completed as (
    select distinct on (message_key) message_key, last_completed_by as answered_by
    from leg
    where last_completed_at is not null and not is_ignored
    order by message_key, last_completed_at desc, last_completed_key desc
),

counted_day as (
    select leg.message_key, (counted.at at time zone %(report_timezone)s)::date as day
    from leg
    cross join lateral unnest(array[
        leg.first_gateway_event_at,
        leg.first_processed_at,
        leg.first_deferred_at,
        leg.first_delivered_at,
        leg.first_dropped_at,
        leg.first_bounced_at,
        leg.first_blocked_at,
        leg.first_invalid_at,
        case when leg.channel = 'email' then leg.last_failure_at end,
        leg.first_undelivered_at,
        leg.first_completed_at,
        leg.first_no_answer_at,
        leg.first_failed_at,
        leg.first_spam_reported_at
    ]) as counted (at)
    where counted.at is not null
    union all
    select leg.message_key, engaged.day
    from leg
    cross join lateral unnest(leg.engaged_days) as engaged (day)
    union all
    -- a message that was not sent counts on the day of its first event
    select message_key, (min(first_event_at) at time zone %(report_timezone)s)::date as day
    from leg
    group by message_key
    having bool_and(first_gateway_event_at is null)
),

counted as (
    select message_key, array_agg(distinct day order by day) as days
    from counted_day
    group by message_key
),

decided as (
    select
        f.message_key,
        case
            when f.has_opened or f.has_clicked or f.is_spam_reported or (f.channel = 'email' and f.is_unsubscribed)
                then 'delivered'
            when b.bounced_at is not null and (f.last_delivered_at is null or f.last_delivered_at <= b.bounced_at)
                then 'bounced'
            when f.last_delivered_at is not null then 'delivered'
            when f.has_other_failure then 'not_delivered'
            when f.sent_at is not null then 'in_gateway'
            when s.message_key is not null then 'not_sent'
            else 'in_progress'
        end as state
    from folded as f
    left join bounce as b on b.message_key = f.message_key
    left join suppressed as s on s.message_key = f.message_key
)

select
    f.message_key,
    f.account,
    f.channel,
    f.dispatch_id,
    decode(f.recipient_hex, 'hex') as recipient_key,
    d.state,
    f.sent_at,
    (f.sent_at at time zone %(report_timezone)s)::date as sent_day,
    case when g.message_key is not null then g.provider else h.gateway end as provider,
    substr(f.campaign_choice, 2) as campaign_id,
    substr(f.template_choice, 2) as template_id,
    f.mailbox_provider,
    f.country,
    case when d.state = 'bounced' then b.failure_class end as failure_class,
    case when d.state = 'bounced' then b.failure_reason end as failure_reason,
    case when d.state = 'not_sent' then s.category end as not_sent_category,
    case when d.state = 'not_sent' then s.reason end as not_sent_reason,
    d.state = 'in_progress' and f.is_scheduled as is_scheduled,
    d.state = 'bounced' and f.last_delivered_at is not null as is_delivered_then_bounced,
    f.has_opened or f.has_clicked or (f.channel = 'email' and f.is_unsubscribed) as is_opened,
    f.has_human_opened or f.has_human_clicked or (f.channel = 'email' and f.is_unsubscribed) as is_opened_human,
    f.has_clicked or (f.channel = 'email' and f.is_unsubscribed) as is_clicked,
    f.has_human_clicked or (f.channel = 'email' and f.is_unsubscribed) as is_clicked_human,
    f.is_spam_reported,
    f.is_unsubscribed,
    case when d.state in ('bounced', 'not_delivered') then u.unanswered_type end as unanswered_type,
    c.answered_by,
    f.segments,
    f.duration_seconds,
    coalesce(counted.days, '{}') as days,
    case d.state when 'bounced' then b.failure_key when 'not_delivered' then x.failure_key end as failure_key,
    i.message_key is not null as ignores_copies
from folded as f
inner join decided as d on d.message_key = f.message_key
left join gateway_leg as g on g.message_key = f.message_key
left join handed_over as h on h.message_key = f.message_key
left join suppressed as s on s.message_key = f.message_key
left join bounce as b on b.message_key = f.message_key
left join failure as x on x.message_key = f.message_key
left join unanswered as u on u.message_key = f.message_key
left join completed as c on c.message_key = f.message_key
left join ignoring as i on i.message_key = f.message_key
left join counted on counted.message_key = f.message_key;

create unique index on message_after (message_key);
analyze message_after (message_key);
