-- leg_after: what the touched legs are, with this load. Which message they are part of, join_legs.sql puts right where it
-- follows from more than the leg itself.
-- Every event is a leg in small (a partial), and so is a leg as it stood; a leg is the fold of its partials by
-- operations that commute: least, greatest, sum, or. What depends on the latest of something is folded apart.
-- reads: touched_leg, inserted_event, fact.event (of recomputed legs), fact.leg
-- params: report_timezone
create temporary table partial_leg on commit drop as
with
event as (
    select
        e.event_key, e.leg_key, e.account, e.channel, e.provider, e.provider_message_id, e.recipient_key,
        e.dispatch_id, e.campaign_source, e.campaign_id, e.template_source, e.template_id,
        e.mailbox_provider, e.country, e.event_at, e.event_type, e.failure_class, e.failure_reason,
        e.not_sent_category, e.not_sent_reason, e.gateway, e.answered_by, e.is_machine, e.segments, e.price,
        e.currency, e.duration_seconds, e.own_leg_key
    from inserted_event as e
    inner join touched_leg as t on t.leg_key = e.leg_key
    where not t.is_recomputed
    union all
    select
        e.event_key, e.leg_key, e.account, e.channel, e.provider, e.provider_message_id, e.recipient_key,
        e.dispatch_id, e.campaign_source, e.campaign_id, e.template_source, e.template_id,
        e.mailbox_provider, e.country, e.event_at, e.event_type, e.failure_class, e.failure_reason,
        e.not_sent_category, e.not_sent_reason, e.gateway, e.answered_by, e.is_machine, e.segments, e.price,
        e.currency, e.duration_seconds, e.own_leg_key
    from touched_leg as t
    inner join fact.event as e on e.leg_key = t.leg_key
    where t.is_recomputed
)

select
    leg_key,
    account,
    channel,
    provider,
    provider_message_id,
    encode(recipient_key, 'hex') as recipient_hex,
    own_leg_key::text as own_leg_key,
    1::bigint as event_count,
    dispatch_id as own_dispatch_id,
    null::text collate "C" as named_dispatch_id,
    array_position(array['dispatch_log', 'custom_argument', 'provider', 'category'], campaign_source) || campaign_id
        as campaign_choice,
    array_position(array['dispatch_log', 'custom_argument', 'provider', 'category'], template_source) || template_id
        as template_choice,
    mailbox_provider,
    country,
    event_at as first_event_at,
    case when event_type not in ('queued', 'scheduled', 'suppressed') then event_at end as first_gateway_event_at,
    event_type = 'scheduled' as is_scheduled,
    event_type in ('no_answer', 'busy', 'canceled')
    or (
        event_type in ('bounced', 'dropped', 'undelivered', 'failed')
        and failure_class not in ('invalid', 'hard_bounce', 'soft_bounce', 'blocked')
    ) as has_other_failure,
    event_type = 'unsubscribed' as is_unsubscribed,
    case when event_type in ('delivered', 'completed') then event_at end as last_delivered_at,
    case when event_type = 'suppressed' then event_at end as last_suppressed_at,
    event_key as last_suppressed_key,
    not_sent_category as last_suppressed_category,
    not_sent_reason as last_suppressed_reason,
    case when event_type = 'handed_over' then event_at end as last_handed_over_at,
    event_key as last_handed_over_key,
    gateway as last_handed_over_gateway,
    case
        when event_type in ('bounced', 'dropped', 'undelivered', 'failed')
            and failure_class in ('invalid', 'hard_bounce', 'soft_bounce', 'blocked')
            then event_at
    end as last_bounce_at,
    event_key as last_bounce_key,
    failure_class as last_bounce_class,
    failure_reason as last_bounce_reason,
    case when event_type in ('bounced', 'dropped', 'undelivered', 'failed') then event_at end as last_failure_at,
    event_key as last_failure_key,
    failure_class as last_failure_class,
    failure_reason as last_failure_reason,
    case when event_type in ('no_answer', 'busy', 'failed', 'canceled') then event_at end as last_unanswered_at,
    event_key as last_unanswered_key,
    event_type as last_unanswered_type,
    case when event_type = 'completed' then event_at end as last_completed_at,
    event_key as last_completed_key,
    answered_by as last_completed_by,
    case when event_type = 'processed' then event_at end as first_processed_at,
    case when event_type = 'deferred' then event_at end as first_deferred_at,
    case when event_type = 'delivered' then event_at end as first_delivered_at,
    case when event_type = 'dropped' then event_at end as first_dropped_at,
    case when event_type = 'bounced' and failure_class <> 'invalid' then event_at end as first_bounced_at,
    case when event_type = 'bounced' and failure_class = 'blocked' then event_at end as first_blocked_at,
    case when event_type in ('bounced', 'dropped') and failure_class = 'invalid' then event_at end as first_invalid_at,
    case when event_type = 'undelivered' then event_at end as first_undelivered_at,
    case when event_type = 'completed' then event_at end as first_completed_at,
    case when event_type in ('no_answer', 'busy') then event_at end as first_no_answer_at,
    case when channel = 'ivr' and event_type in ('failed', 'canceled') then event_at end as first_failed_at,
    case when event_type = 'opened' then event_at end as first_opened_at,
    case when event_type = 'opened' and is_machine is not true then event_at end as first_human_opened_at,
    case when event_type = 'clicked' then event_at end as first_clicked_at,
    case when event_type = 'clicked' and is_machine is not true then event_at end as first_human_clicked_at,
    case when event_type = 'spam_reported' then event_at end as first_spam_reported_at,
    segments,
    price,
    currency,
    duration_seconds,
    case
        when event_type in ('opened', 'clicked', 'unsubscribed')
            then array[(event_at at time zone %(report_timezone)s)::date]
    end as engaged_days
from event
union all
select
    leg_key,
    account,
    channel,
    provider,
    provider_message_id,
    encode(recipient_key, 'hex'),
    own_leg_key::text,
    event_count,
    own_dispatch_id,
    named_dispatch_id,
    campaign_choice,
    template_choice,
    mailbox_provider,
    country,
    first_event_at,
    first_gateway_event_at,
    is_scheduled,
    has_other_failure,
    is_unsubscribed,
    last_delivered_at,
    last_suppressed_at,
    last_suppressed_key,
    last_suppressed_category,
    last_suppressed_reason,
    last_handed_over_at,
    last_handed_over_key,
    last_handed_over_gateway,
    last_bounce_at,
    last_bounce_key,
    last_bounce_class,
    last_bounce_reason,
    last_failure_at,
    last_failure_key,
    last_failure_class,
    last_failure_reason,
    last_unanswered_at,
    last_unanswered_key,
    last_unanswered_type,
    last_completed_at,
    last_completed_key,
    last_completed_by,
    first_processed_at,
    first_deferred_at,
    first_delivered_at,
    first_dropped_at,
    first_bounced_at,
    first_blocked_at,
    first_invalid_at,
    first_undelivered_at,
    first_completed_at,
    first_no_answer_at,
    first_failed_at,
    first_opened_at,
    first_human_opened_at,
    first_clicked_at,
    first_human_clicked_at,
    first_spam_reported_at,
    segments,
    price,
    currency,
    duration_seconds,
    engaged_days
from fact.leg
inner join touched_leg using (leg_key)
where not is_recomputed;

-- a leg that the dispatch log names, and of which an event may or may not have come
insert into partial_leg (leg_key, account, event_count, named_dispatch_id)
select e.named_leg_key, e.account, 0, e.dispatch_id
from inserted_event as e
inner join touched_leg as t on t.leg_key = e.named_leg_key
where not t.is_recomputed
union all
select e.named_leg_key, e.account, 0, e.dispatch_id
from touched_leg as t
inner join fact.event as e on e.named_leg_key = t.leg_key
where t.is_recomputed;

analyze partial_leg (leg_key);

create temporary table leg_after on commit drop as
with
folded as (
    select
        leg_key,
        min(account) as account,
        min(channel) as channel,
        min(provider) as provider,
        max(provider_message_id) as provider_message_id,
        decode(max(recipient_hex), 'hex') as recipient_key,
        min(own_leg_key)::uuid as own_leg_key,
        sum(event_count)::bigint as event_count,
        min(own_dispatch_id) as own_dispatch_id,
        min(named_dispatch_id) as named_dispatch_id,
        min(campaign_choice) as campaign_choice,
        min(template_choice) as template_choice,
        min(mailbox_provider) as mailbox_provider,
        min(country) as country,
        min(first_event_at) as first_event_at,
        min(first_gateway_event_at) as first_gateway_event_at,
        bool_or(is_scheduled) as is_scheduled,
        bool_or(has_other_failure) as has_other_failure,
        bool_or(is_unsubscribed) as is_unsubscribed,
        max(last_delivered_at) as last_delivered_at,
        min(first_processed_at) as first_processed_at,
        min(first_deferred_at) as first_deferred_at,
        min(first_delivered_at) as first_delivered_at,
        min(first_dropped_at) as first_dropped_at,
        min(first_bounced_at) as first_bounced_at,
        min(first_blocked_at) as first_blocked_at,
        min(first_invalid_at) as first_invalid_at,
        min(first_undelivered_at) as first_undelivered_at,
        min(first_completed_at) as first_completed_at,
        min(first_no_answer_at) as first_no_answer_at,
        min(first_failed_at) as first_failed_at,
        min(first_opened_at) as first_opened_at,
        min(first_human_opened_at) as first_human_opened_at,
        min(first_clicked_at) as first_clicked_at,
        min(first_human_clicked_at) as first_human_clicked_at,
        min(first_spam_reported_at) as first_spam_reported_at,
        max(segments) as segments,
        max(price) as price,
        max(currency) as currency,
        max(duration_seconds) as duration_seconds
    from partial_leg
    group by leg_key
),

suppressed as (
    select distinct on (leg_key)
        leg_key, last_suppressed_at, last_suppressed_key, last_suppressed_category, last_suppressed_reason
    from partial_leg
    where last_suppressed_at is not null
    order by leg_key, last_suppressed_at desc, last_suppressed_key desc
),

handed_over as (
    select distinct on (leg_key)
        leg_key, last_handed_over_at, last_handed_over_key, last_handed_over_gateway
    from partial_leg
    where last_handed_over_at is not null
    order by leg_key, last_handed_over_at desc, last_handed_over_key desc
),

bounce as (
    select distinct on (leg_key) leg_key, last_bounce_at, last_bounce_key, last_bounce_class, last_bounce_reason
    from partial_leg
    where last_bounce_at is not null
    order by leg_key, last_bounce_at desc, last_bounce_key desc
),

failure as (
    select distinct on (leg_key) leg_key, last_failure_at, last_failure_key, last_failure_class, last_failure_reason
    from partial_leg
    where last_failure_at is not null
    order by leg_key, last_failure_at desc, last_failure_key desc
),

unanswered as (
    select distinct on (leg_key) leg_key, last_unanswered_at, last_unanswered_key, last_unanswered_type
    from partial_leg
    where last_unanswered_at is not null
    order by leg_key, last_unanswered_at desc, last_unanswered_key desc
),

completed as (
    select distinct on (leg_key) leg_key, last_completed_at, last_completed_key, last_completed_by
    from partial_leg
    where last_completed_at is not null
    order by leg_key, last_completed_at desc, last_completed_key desc
),

engaged as (
    select leg_key, array_agg(distinct day order by day) as engaged_days
    from partial_leg
    cross join lateral unnest(engaged_days) as day
    where engaged_days is not null
    group by leg_key
)

select
    f.leg_key,
    f.account,
    f.channel,
    f.provider,
    f.provider_message_id,
    f.recipient_key,
    f.event_count,
    f.own_dispatch_id,
    f.named_dispatch_id,
    case
        when f.event_count = 0 then null
        when least(f.own_dispatch_id, f.named_dispatch_id) is null then f.leg_key
        else fact.message_key(f.account, f.channel, least(f.own_dispatch_id, f.named_dispatch_id))
    end as message_key,
    f.own_leg_key,
    false as is_copy,
    f.campaign_choice,
    f.template_choice,
    f.mailbox_provider,
    f.country,
    f.first_event_at,
    f.first_gateway_event_at,
    f.is_scheduled,
    f.has_other_failure,
    f.is_unsubscribed,
    f.last_delivered_at,
    s.last_suppressed_at,
    s.last_suppressed_key,
    s.last_suppressed_category,
    s.last_suppressed_reason,
    h.last_handed_over_at,
    h.last_handed_over_key,
    h.last_handed_over_gateway,
    b.last_bounce_at,
    b.last_bounce_key,
    b.last_bounce_class,
    b.last_bounce_reason,
    x.last_failure_at,
    x.last_failure_key,
    x.last_failure_class,
    x.last_failure_reason,
    u.last_unanswered_at,
    u.last_unanswered_key,
    u.last_unanswered_type,
    c.last_completed_at,
    c.last_completed_key,
    c.last_completed_by,
    f.first_processed_at,
    f.first_deferred_at,
    f.first_delivered_at,
    f.first_dropped_at,
    f.first_bounced_at,
    f.first_blocked_at,
    f.first_invalid_at,
    f.first_undelivered_at,
    f.first_completed_at,
    f.first_no_answer_at,
    f.first_failed_at,
    f.first_opened_at,
    f.first_human_opened_at,
    f.first_clicked_at,
    f.first_human_clicked_at,
    f.first_spam_reported_at,
    f.segments,
    f.price,
    f.currency,
    f.duration_seconds,
    e.engaged_days
from folded as f
left join suppressed as s on s.leg_key = f.leg_key
left join handed_over as h on h.leg_key = f.leg_key
left join bounce as b on b.leg_key = f.leg_key
left join failure as x on x.leg_key = f.leg_key
left join unanswered as u on u.leg_key = f.leg_key
left join completed as c on c.leg_key = f.leg_key
left join engaged as e on e.leg_key = f.leg_key;

create unique index on leg_after (leg_key);
analyze leg_after (leg_key, message_key);
