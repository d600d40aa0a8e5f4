-- Who a message is for. A dispatch id may name several recipients, a message each. A leg of a recipient whom no row of
-- the dispatch log names is a copy: it decides nothing of a message that has a leg of its own recipient. An event that
-- has nothing but the sender's own Message-ID joins the message whose events carry the same. The rules with examples
-- are in docs/decisions/0013-recipients-copies-and-own-ids.md. Keys of legs changed with them: what was loaded before
-- asks for a replay, which `waybill warehouse migrate`, `status` and `doctor` name.
alter table fact.event add column own_leg_key uuid;
comment on column fact.event.own_leg_key is 'The leg that the sender''s own Message-ID makes with the recipient, where the record has that id: a keyed hash; the id itself is not kept.';

alter table fact.leg
    add column own_leg_key uuid,
    add column is_copy boolean not null default false;
alter table fact.leg alter column is_copy drop default;
comment on table fact.leg is 'What one system calls one message: a pure function of the set of its merged events; message_key and is_copy also of whom the dispatch log names.';
comment on column fact.leg.leg_key is 'Keyed hash of (account, provider, provider_message_id, and the recipient where the id covers several), or of (account, provider, own, the sender''s Message-ID, recipient), or of (account, dispatch, channel, dispatch_id, and the recipient where the row names one).';
comment on column fact.leg.own_leg_key is 'The leg that the sender''s own Message-ID makes with the recipient (the least, should its events differ); its own leg_key where it is that leg; null where no event has such an id.';
comment on column fact.leg.is_copy is 'It went to somebody whom no row of the dispatch log names, though rows of its dispatch id name others: a blind copy.';
-- whom the dispatch log names, dispatch id by dispatch id: a load asks for the least and for one
create index leg_intended on fact.leg (own_dispatch_id, account, channel, recipient_key)
    where provider = 'dispatch' and recipient_key is not null;
create index leg_own on fact.leg (own_leg_key) where own_leg_key is not null;

alter table fact.message add column ignores_copies boolean not null default false;
alter table fact.message alter column ignores_copies drop default;
comment on table fact.message is 'The legs of one account, channel, dispatch id and intended recipient; a leg without a dispatch id is a message by itself.';
comment on column fact.message.message_key is 'The leg_key where the message is one leg without a dispatch id; else a hash of (account, channel, dispatch_id), and of the recipient as well where the dispatch log names a lesser one for the same dispatch id.';
comment on column fact.message.recipient_key is 'Recipient: the dispatch log''s, else the gateway''s (then the greatest).';
comment on column fact.message.ignores_copies is 'It has copies, and a gateway leg of its intended recipient: they decide nothing of it.';

create function fact.recipient_message_key(account text, channel text, dispatch_id text, recipient_key bytea)
returns uuid
language sql immutable strict parallel safe
return substr(
    encode(
        sha256(
            convert_to(
                jsonb_build_array(account, channel, dispatch_id, encode(recipient_key, 'hex'))::text, 'UTF8'
            )
        ),
        'hex'
    ),
    1, 32
)::uuid;
comment on function fact.recipient_message_key is 'Key of the message to one of several recipients of a dispatch id; the least of them has fact.message_key.';
comment on function fact.message_key is 'Key of the message that the legs of one account, channel and dispatch id make: of several recipients, the message to the least.';

-- The detail views show what decides. Events of copies stay in the timeline, marked.
create or replace function fact.timeline(message uuid) returns jsonb
language plpgsql stable strict parallel safe security definer
set search_path = pg_catalog, pg_temp set timezone = 'UTC' set plan_cache_mode = force_generic_plan
as $$
declare
    first_key uuid := (
        select fact.key_floor(min(leg.first_event_at) - interval '31 days')
        from fact.leg as leg
        where leg.message_key = message
    );
begin
    return (
        select
            jsonb_agg(
                jsonb_strip_nulls(
                    jsonb_build_object(
                        'at', event.event_at,
                        'event_type', event.event_type,
                        'provider', event.provider,
                        'provider_event', event.provider_event,
                        'gateway', event.gateway,
                        'failure_class', event.failure_class,
                        'failure_reason', event.failure_reason,
                        'provider_code', event.provider_code,
                        'status_code', event.status_code,
                        'reason', coalesce(event.provider_reason, event.not_sent_reason),
                        'is_machine', event.is_machine,
                        'url', event.url,
                        'is_copy', case when leg.is_copy then true end
                    )
                )
                order by event.event_at, event.event_key
            )
        from fact.leg as leg
        inner join fact.event as event on event.leg_key = leg.leg_key and event.event_key >= first_key
        where leg.message_key = message
    );
end
$$;

create or replace view private.message_detail as
select
    message.message_key,
    message.account,
    message.channel,
    message.dispatch_id,
    coalesce(message.campaign_id, '(none)') as campaign_id,
    coalesce(message.template_id, '(none)') as template_id,
    coalesce(message.provider, '(none)') as provider,
    leg.provider_message_id,
    message.recipient,
    coalesce(message.mailbox_provider, '(none)') as mailbox_provider,
    coalesce(message.country, '(none)') as country,
    message.state,
    array_remove(
        case message.channel
            when 'email' then array[
                case when leg.processed_at is not null then 'Processed' end,
                case when leg.delivered_at is not null then 'Delivered' end,
                case when leg.opened_at is not null then 'Open' end,
                case when leg.clicked_at is not null then 'Click' end,
                case when leg.spam_reported_at is not null then 'Spam' end,
                case when leg.dropped_at is not null then 'Dropped' end,
                case when leg.bounced_at is not null then 'Bounced' end,
                case when leg.blocked_at is not null then 'Blocked' end,
                case when leg.invalid_at is not null then 'Invalid' end
            ]
            when 'sms' then array[
                case when leg.delivered_at is not null then 'Delivered' end,
                case when leg.undelivered_at is not null or leg.dropped_at is not null then 'Undelivered' end
            ]
            else array[
                case when leg.completed_at is not null then 'Completed' end,
                case when leg.no_answer_at is not null then 'No-Answer' end,
                case when leg.failed_at is not null then 'Failed' end
            ]
        end,
        null
    ) collate "C" as words,
    case
        when message.state = 'in_progress' then
            case when message.is_scheduled then 'about_to_be_sent' else 'queued' end
    end collate "C" as progress,
    leg.first_event_at,
    message.sent_at,
    message.sent_day,
    leg.processed_at,
    leg.deferred_at,
    leg.delivered_at,
    leg.opened_at,
    leg.human_opened_at,
    leg.clicked_at,
    leg.human_clicked_at,
    leg.spam_reported_at,
    leg.dropped_at,
    leg.bounced_at,
    leg.blocked_at,
    leg.invalid_at,
    leg.undelivered_at,
    leg.completed_at,
    leg.no_answer_at,
    leg.failed_at,
    message.is_opened,
    message.is_opened_human,
    message.is_clicked,
    message.is_clicked_human,
    message.is_spam_reported,
    message.is_unsubscribed,
    message.is_delivered_then_bounced,
    (
        message.state = 'in_gateway'
        and message.sent_at <= coalesce(
            (
                select build.as_of
                from ops.build as build
                where build.status = 'published'
                order by build.build_id desc
                limit 1
            ),
            '-infinity'
        ) - interval '72 hours'
    ) as is_stale,
    failure.failure_class,
    failure.failure_reason,
    message.not_sent_category,
    case when message.not_sent_category = 'other' then 'unclassified' else message.not_sent_reason end collate "C"
        as not_sent_reason,
    (
        select reason.words
        from fact.reason as reason
        where
            reason.kind = case
                when message.channel = 'ivr' and message.unanswered_type <> 'failed' then 'unanswered'
                when message.state in ('bounced', 'not_delivered') and failure.failure_reason is not null then 'failure'
                when message.state = 'not_delivered' and message.unanswered_type is not null then 'unanswered'
                when message.state = 'not_sent' then 'not_sent'
                else 'state'
            end
            and reason.reason = case reason.kind
                when 'unanswered' then message.unanswered_type
                when 'failure' then failure.failure_reason
                when 'not_sent' then
                    case
                        when message.not_sent_category = 'other' then 'unclassified'
                        else message.not_sent_reason
                    end
                else
                    case
                        when message.state <> 'in_progress' then message.state
                        when message.is_scheduled then 'about_to_be_sent'
                        else 'queued'
                    end
            end
    ) as reason_in_words,
    failure.provider_code,
    failure.status_code,
    failure.provider_reason,
    message.unanswered_type,
    message.answered_by,
    message.segments,
    message.duration_seconds,
    case when leg.currency_count <= 1 then leg.cost end as cost,
    case when leg.currency_count <= 1 then leg.currency end as currency,
    fact.timeline(message.message_key) as timeline
from private.message_with_recipient as message
-- Aggregates without groups: one row each, so that the planner drops them where nothing of them is asked for.
left join lateral (
    select
        min(own.first_event_at) as first_event_at,
        min(own.first_processed_at) as processed_at,
        min(own.first_deferred_at) as deferred_at,
        min(own.first_delivered_at) as delivered_at,
        min(own.first_opened_at) as opened_at,
        min(own.first_human_opened_at) as human_opened_at,
        min(own.first_clicked_at) as clicked_at,
        min(own.first_human_clicked_at) as human_clicked_at,
        min(own.first_spam_reported_at) as spam_reported_at,
        min(own.first_dropped_at) as dropped_at,
        min(own.first_bounced_at) as bounced_at,
        min(own.first_blocked_at) as blocked_at,
        min(own.first_invalid_at) as invalid_at,
        min(own.first_undelivered_at) as undelivered_at,
        min(own.first_completed_at) as completed_at,
        min(own.first_no_answer_at) as no_answer_at,
        min(own.first_failed_at) as failed_at,
        (
            array_agg(own.provider_message_id order by own.first_event_at desc, own.leg_key desc)
            filter (where own.provider <> 'dispatch' and own.provider_message_id is not null)
        )[1] as provider_message_id,
        -- the deciding failure of section 6, and of messages that came through or were suppressed the same choice
        (
            array_agg(
                coalesce(own.last_bounce_key, own.last_failure_key)
                order by
                    own.last_bounce_at is null,
                    coalesce(own.last_bounce_at, own.last_failure_at) desc,
                    coalesce(own.last_bounce_key, own.last_failure_key) desc
            ) filter (where own.last_failure_at is not null)
        )[1] as failure_key,
        sum(own.price) as cost,
        max(own.currency) filter (where own.price is not null) as currency,
        count(distinct coalesce(own.currency, '')) filter (where own.price is not null) as currency_count
    from fact.leg as own
    where
        own.message_key = message.message_key
        and case
            when own.is_copy then
                (select not told.ignores_copies from fact.message as told where told.message_key = own.message_key)
            else true
        end
) as leg on true
left join lateral (
    select
        max(told.failure_class) collate "C" as failure_class,
        max(told.failure_reason) collate "C" as failure_reason,
        max(told.provider_code) collate "C" as provider_code,
        max(told.status_code) collate "C" as status_code,
        max(told.provider_reason) collate "C" as provider_reason
    from fact.failure(leg.failure_key) as told
) as failure on true;
comment on column private.message_detail.timeline is 'Every event of the message in order of time, as a JSON array: at (UTC), event_type, provider, provider_event, and where there are any gateway, failure_class, failure_reason, provider_code, status_code, reason (redacted), is_machine, url, is_copy (it is about a copy that went to somebody else).';
comment on column private.message_detail.cost is 'What it costs so far without copies (exact; unit: currency); null: not told, or in several currencies (see report.message_cost_daily).';

do $$
declare
    listed text := (
        select string_agg(format('%I', attname), ', ' order by attnum)
        from pg_attribute
        where attrelid = 'report.email_activity'::regclass and attnum > 0 and not attisdropped
    );
    shown record;
begin
    for shown in
        values
        ('bounced_email', 'first_bounced_at'),
        ('blocked_email', 'first_blocked_at'),
        ('invalid_email', 'first_invalid_at')
    loop
        execute format(
            'create or replace view report.%I as select %s from report.email_activity as activity where exists ('
            'select from fact.leg as leg where leg.message_key = activity.message_key'
            ' and leg.last_failure_at is not null and leg.%I is not null and case when leg.is_copy then (select'
            ' not told.ignores_copies from fact.message as told where told.message_key = leg.message_key) else true end)',
            shown.column1, listed, shown.column2
        );
    end loop;
    for shown in
        select format('comment on column %s.%I is %L', view.attrelid::regclass, view.attname, detail.comment) as text
        from pg_attribute as view
        inner join (
            select attname, col_description(attrelid, attnum) as comment
            from pg_attribute
            where attrelid = 'private.message_detail'::regclass and attname in ('timeline', 'cost')
        ) as detail on detail.attname = view.attname
        where
            view.attnum > 0
            and view.attrelid in (
                'report.email_activity'::regclass, 'report.bounced_email'::regclass, 'report.blocked_email'::regclass,
                'report.invalid_email'::regclass, 'report.spam_email'::regclass, 'report.sms_activity'::regclass,
                'report.ivr_activity'::regclass
            )
    loop
        execute shown.text;
    end loop;
end
$$;
