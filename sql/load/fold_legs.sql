-- leg_after: the touched legs as they are after this load. join_legs.sql then corrects the message of a leg where it
-- depends on more than the leg itself.
-- A leg is the fold of its events and of the stored leg, by operations that commute: least, greatest, sum, or; and the
-- latest event of a kind, which is chosen together with its values. A column is written twice: how it follows from
-- events (new), and how that is combined with the stored leg (folded). `*` joins parts of one row.
-- reads: touched_leg, inserted_event, fact.event (of recomputed legs), fact.leg
-- params: report_timezone
create temporary table leg_after on commit drop as
with
event as (
    select
        event_key, leg_key, account, channel, provider, provider_message_id, recipient_key, dispatch_id,
        campaign_source, campaign_id, template_source, template_id, mailbox_provider, country, event_at, event_type,
        failure_class, failure_reason, not_sent_category, not_sent_reason, gateway, answered_by, is_machine, segments,
        price, currency, duration_seconds, own_leg_key
    from (
        select e.*
        from inserted_event as e
        inner join touched_leg as t on t.leg_key = e.leg_key
        where not t.is_recomputed
        union all
        select e.*
        from touched_leg as t
        inner join fact.event as e on e.leg_key = t.leg_key
        where t.is_recomputed
    ) as e
),

-- legs that the dispatch log names, with or without an event of the gateway
named as (
    select leg_key, min(account) as account, min(dispatch_id) as dispatch_id
    from (
        select e.named_leg_key as leg_key, e.account, e.dispatch_id
        from inserted_event as e
        inner join touched_leg as t on t.leg_key = e.named_leg_key
        where not t.is_recomputed
        union all
        select e.named_leg_key, e.account, e.dispatch_id
        from touched_leg as t
        inner join fact.event as e on e.named_leg_key = t.leg_key
        where t.is_recomputed
    ) as e
    group by leg_key
),

stored as materialized (
    select l.*
    from touched_leg as t
    inner join fact.leg as l on l.leg_key = t.leg_key
    where not t.is_recomputed
),

new as (
    select
        leg_key,
        min(account) as account,
        min(channel) as channel,
        min(provider) as provider,
        max(provider_message_id) as provider_message_id,
        decode(max(encode(recipient_key, 'hex')), 'hex') as recipient_key,
        min(own_leg_key::text)::uuid as own_leg_key,
        count(*) as event_count,
        min(dispatch_id) as own_dispatch_id,
        min(
            array_position(array['dispatch_log', 'custom_argument', 'provider', 'category'], campaign_source)
            || campaign_id
        ) as campaign_choice,
        min(
            array_position(array['dispatch_log', 'custom_argument', 'provider', 'category'], template_source)
            || template_id
        ) as template_choice,
        min(mailbox_provider) as mailbox_provider,
        min(country) as country,
        min(event_at) as first_event_at,
        min(event_at) filter (where event_type not in ('queued', 'scheduled', 'suppressed')) as first_gateway_event_at,
        bool_or(event_type = 'scheduled') as is_scheduled,
        bool_or(
            event_type in ('no_answer', 'busy', 'canceled')
            or (
                event_type in ('bounced', 'dropped', 'undelivered', 'failed')
                and failure_class not in ('invalid', 'hard_bounce', 'soft_bounce', 'blocked')
            )
        ) as has_other_failure,
        bool_or(event_type = 'unsubscribed') as is_unsubscribed,
        max(event_at) filter (where event_type in ('delivered', 'completed')) as last_delivered_at,
        min(event_at) filter (where event_type = 'processed') as first_processed_at,
        min(event_at) filter (where event_type = 'deferred') as first_deferred_at,
        min(event_at) filter (where event_type = 'delivered') as first_delivered_at,
        min(event_at) filter (where event_type = 'dropped') as first_dropped_at,
        min(event_at) filter (where event_type = 'bounced' and failure_class <> 'invalid') as first_bounced_at,
        min(event_at) filter (where event_type = 'bounced' and failure_class = 'blocked') as first_blocked_at,
        min(event_at) filter (where event_type in ('bounced', 'dropped') and failure_class = 'invalid')
            as first_invalid_at,
        min(event_at) filter (where event_type = 'undelivered') as first_undelivered_at,
        min(event_at) filter (where event_type = 'completed') as first_completed_at,
        min(event_at) filter (where event_type in ('no_answer', 'busy')) as first_no_answer_at,
        min(event_at) filter (where channel = 'ivr' and event_type in ('failed', 'canceled')) as first_failed_at,
        min(event_at) filter (where event_type = 'opened') as first_opened_at,
        min(event_at) filter (where event_type = 'opened' and is_machine is not true) as first_human_opened_at,
        min(event_at) filter (where event_type = 'clicked') as first_clicked_at,
        min(event_at) filter (where event_type = 'clicked' and is_machine is not true) as first_human_clicked_at,
        min(event_at) filter (where event_type = 'spam_reported') as first_spam_reported_at,
        max(segments) as segments,
        max(price) as price,
        max(currency) as currency,
        max(duration_seconds) as duration_seconds
    from event
    group by leg_key
),

folded as (
    select
        touched_leg.leg_key,
        least(new.account, named.account, stored.account) as account,
        least(new.channel, stored.channel) as channel,
        least(new.provider, stored.provider) as provider,
        greatest(new.provider_message_id, stored.provider_message_id) as provider_message_id,
        greatest(new.recipient_key, stored.recipient_key) as recipient_key,
        least(new.own_leg_key, stored.own_leg_key) as own_leg_key,
        coalesce(new.event_count, 0) + coalesce(stored.event_count, 0) as event_count,
        least(new.own_dispatch_id, stored.own_dispatch_id) as own_dispatch_id,
        least(named.dispatch_id, stored.named_dispatch_id) as named_dispatch_id,
        least(new.campaign_choice, stored.campaign_choice) as campaign_choice,
        least(new.template_choice, stored.template_choice) as template_choice,
        least(new.mailbox_provider, stored.mailbox_provider) as mailbox_provider,
        least(new.country, stored.country) as country,
        least(new.first_event_at, stored.first_event_at) as first_event_at,
        least(new.first_gateway_event_at, stored.first_gateway_event_at) as first_gateway_event_at,
        greatest(new.is_scheduled, stored.is_scheduled) as is_scheduled,
        greatest(new.has_other_failure, stored.has_other_failure) as has_other_failure,
        greatest(new.is_unsubscribed, stored.is_unsubscribed) as is_unsubscribed,
        greatest(new.last_delivered_at, stored.last_delivered_at) as last_delivered_at,
        least(new.first_processed_at, stored.first_processed_at) as first_processed_at,
        least(new.first_deferred_at, stored.first_deferred_at) as first_deferred_at,
        least(new.first_delivered_at, stored.first_delivered_at) as first_delivered_at,
        least(new.first_dropped_at, stored.first_dropped_at) as first_dropped_at,
        least(new.first_bounced_at, stored.first_bounced_at) as first_bounced_at,
        least(new.first_blocked_at, stored.first_blocked_at) as first_blocked_at,
        least(new.first_invalid_at, stored.first_invalid_at) as first_invalid_at,
        least(new.first_undelivered_at, stored.first_undelivered_at) as first_undelivered_at,
        least(new.first_completed_at, stored.first_completed_at) as first_completed_at,
        least(new.first_no_answer_at, stored.first_no_answer_at) as first_no_answer_at,
        least(new.first_failed_at, stored.first_failed_at) as first_failed_at,
        least(new.first_opened_at, stored.first_opened_at) as first_opened_at,
        least(new.first_human_opened_at, stored.first_human_opened_at) as first_human_opened_at,
        least(new.first_clicked_at, stored.first_clicked_at) as first_clicked_at,
        least(new.first_human_clicked_at, stored.first_human_clicked_at) as first_human_clicked_at,
        least(new.first_spam_reported_at, stored.first_spam_reported_at) as first_spam_reported_at,
        greatest(new.segments, stored.segments) as segments,
        greatest(new.price, stored.price) as price,
        greatest(new.currency, stored.currency) as currency,
        greatest(new.duration_seconds, stored.duration_seconds) as duration_seconds
    from touched_leg
    left join new on new.leg_key = touched_leg.leg_key
    left join named on named.leg_key = touched_leg.leg_key
    left join stored on stored.leg_key = touched_leg.leg_key
    where new.leg_key is not null or named.leg_key is not null or stored.leg_key is not null
),

suppressed as (
    select distinct on (leg_key) *
    from (
        select
            leg_key,
            event_at as last_suppressed_at,
            event_key as last_suppressed_key,
            not_sent_category as last_suppressed_category,
            not_sent_reason as last_suppressed_reason
        from event
        where event_type = 'suppressed'
        union all
        select leg_key, last_suppressed_at, last_suppressed_key, last_suppressed_category, last_suppressed_reason
        from stored
        where last_suppressed_at is not null
    ) as reported
    order by leg_key, last_suppressed_at desc, last_suppressed_key desc
),

handed_over as (
    select distinct on (leg_key) *
    from (
        select
            leg_key,
            event_at as last_handed_over_at,
            event_key as last_handed_over_key,
            gateway as last_handed_over_gateway
        from event
        where event_type = 'handed_over'
        union all
        select leg_key, last_handed_over_at, last_handed_over_key, last_handed_over_gateway
        from stored
        where last_handed_over_at is not null
    ) as reported
    order by leg_key, last_handed_over_at desc, last_handed_over_key desc
),

bounce as (
    select distinct on (leg_key) *
    from (
        select
            leg_key,
            event_at as last_bounce_at,
            event_key as last_bounce_key,
            failure_class as last_bounce_class,
            failure_reason as last_bounce_reason
        from event
        where event_type in ('bounced', 'dropped', 'undelivered', 'failed')
            and failure_class in ('invalid', 'hard_bounce', 'soft_bounce', 'blocked')
        union all
        select leg_key, last_bounce_at, last_bounce_key, last_bounce_class, last_bounce_reason
        from stored
        where last_bounce_at is not null
    ) as reported
    order by leg_key, last_bounce_at desc, last_bounce_key desc
),

failure as (
    select distinct on (leg_key) *
    from (
        select
            leg_key,
            event_at as last_failure_at,
            event_key as last_failure_key,
            failure_class as last_failure_class,
            failure_reason as last_failure_reason
        from event
        where event_type in ('bounced', 'dropped', 'undelivered', 'failed')
        union all
        select leg_key, last_failure_at, last_failure_key, last_failure_class, last_failure_reason
        from stored
        where last_failure_at is not null
    ) as reported
    order by leg_key, last_failure_at desc, last_failure_key desc
),

unanswered as (
    select distinct on (leg_key) *
    from (
        select
            leg_key,
            event_at as last_unanswered_at,
            event_key as last_unanswered_key,
            event_type as last_unanswered_type
        from event
        where event_type in ('no_answer', 'busy', 'failed', 'canceled')
        union all
        select leg_key, last_unanswered_at, last_unanswered_key, last_unanswered_type
        from stored
        where last_unanswered_at is not null
    ) as reported
    order by leg_key, last_unanswered_at desc, last_unanswered_key desc
),

completed as (
    select distinct on (leg_key) *
    from (
        select
            leg_key,
            event_at as last_completed_at,
            event_key as last_completed_key,
            answered_by as last_completed_by
        from event
        where event_type = 'completed'
        union all
        select leg_key, last_completed_at, last_completed_key, last_completed_by
        from stored
        where last_completed_at is not null
    ) as reported
    order by leg_key, last_completed_at desc, last_completed_key desc
),

engaged as (
    select leg_key, array_agg(distinct day order by day) as engaged_days
    from (
        select leg_key, (event_at at time zone %(report_timezone)s)::date as day
        from event
        where event_type in ('opened', 'clicked', 'unsubscribed')
        union all
        select leg_key, unnest(engaged_days)
        from stored
    ) as reported
    group by leg_key
)

select
    *,
    case
        when event_count = 0 then null
        when least(own_dispatch_id, named_dispatch_id) is null then leg_key
        else fact.message_key(account, channel, least(own_dispatch_id, named_dispatch_id))
    end as message_key,
    false as is_copy
from folded
left join suppressed using (leg_key)
left join handed_over using (leg_key)
left join bounce using (leg_key)
left join failure using (leg_key)
left join unanswered using (leg_key)
left join completed using (leg_key)
left join engaged using (leg_key);

create unique index on leg_after (leg_key);
analyze leg_after (leg_key, message_key);
