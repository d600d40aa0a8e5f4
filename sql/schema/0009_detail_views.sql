-- Detail views: one row per message, for support staff who ask why it did not arrive, and for analysts.
-- They follow the facts, load by load; only is_stale goes by the last published build.

-- What support staff look for: a person, a dispatch, an account's day. Each load pays for these; what they cost is in
-- docs/decisions/0011-detail-views.md.
create index message_recipient on fact.message (recipient_key) where recipient_key is not null;
create index message_dispatch on fact.message (dispatch_id) where dispatch_id is not null;
create index message_sent_day on fact.message (sent_day, account, channel);
create index leg_failed on fact.leg (message_key) where last_failure_at is not null;
create index recipient_address on private.recipient (address collate "C");

create table fact.reason (
    kind text collate "C" not null,
    reason text collate "C" not null,
    words text collate "C" not null,
    primary key (kind, reason)
);
comment on table fact.reason is 'Why a message stands where it stands, in plain words: one text for every word of section 4 of the design.';
comment on column fact.reason.kind is 'Which vocabulary the word is of: failure, not_sent, unanswered (calls) or state (with nothing else to say).';
comment on column fact.reason.reason is 'The word.';
comment on column fact.reason.words is 'What it means, for people.';
insert into fact.reason (kind, reason, words)
values
('failure', 'address_malformed', 'The address is malformed: no server could take it.'),
('failure', 'address_not_found', 'The address or number does not exist.'),
('failure', 'domain_not_found', 'The domain of the address does not exist, or takes no mail.'),
('failure', 'address_inactive', 'The mailbox exists and is switched off.'),
('failure', 'mailbox_full', 'The inbox is full.'),
('failure', 'message_too_large', 'The message is larger than the receiving side takes.'),
('failure', 'server_unavailable', 'The receiving server could not take it at the time.'),
('failure', 'connection_failed', 'No connection to the receiving server came about, or it broke.'),
('failure', 'dns_failure', 'The receiving server could not be found: its DNS did not answer.'),
('failure', 'timed_out', 'The receiving server did not answer in time.'),
('failure', 'rate_limited', 'Too much was sent in too short a time.'),
('failure', 'ip_blocked', 'The sending IP address is blocked or on a blacklist.'),
('failure', 'domain_blocked', 'The sending domain is blocked or on a blacklist.'),
('failure', 'content_rejected', 'The content resembles spam.'),
('failure', 'authentication_failed', 'The sender could not be verified: SPF, DKIM or DMARC failed.'),
('failure', 'policy_rejected', 'The receiving side refused it by a policy of its own.'),
('failure', 'relay_denied', 'The receiving server does not take mail for this domain.'),
('failure', 'carrier_filtered', 'The carrier filtered it out.'),
('failure', 'recipient_blocked', 'The recipient, or the recipient''s carrier, blocks the sender.'),
('failure', 'number_not_mobile', 'The number is no mobile number, or cannot get text messages.'),
('failure', 'handset_unreachable', 'The phone was off or out of reach.'),
('failure', 'carrier_congested', 'The carrier, or the queue to it, was congested.'),
('failure', 'expired', 'Nobody took it until its time was up.'),
('failure', 'account_suspended', 'The sending account is suspended at the provider.'),
('failure', 'price_limit', 'It would have cost more than the limit that is set.'),
('failure', 'region_not_permitted', 'The sending account may not send to this region.'),
('failure', 'prior_bounce', 'The provider did not send it, because an earlier one bounced.'),
('failure', 'prior_unsubscribe', 'The provider did not send it, because the recipient unsubscribed.'),
('failure', 'prior_spam_report', 'The provider did not send it, because the recipient reported an earlier one as spam.'),
('failure', 'quota_exceeded', 'The provider did not send it, because the quota is used up.'),
('failure', 'invalid_request', 'The provider did not send it, because the request was wrong.'),
('failure', 'unclassified', 'It failed, and what the provider says fits no known reason.'),
('not_sent', 'unsubscribed', 'Not sent: the recipient has unsubscribed.'),
('not_sent', 'ndnc', 'Not sent: the number is in the do-not-call register.'),
('not_sent', 'out_of_credit', 'Not sent: the credit of the organisation is used up.'),
('not_sent', 'frequency_capped', 'Not sent: the recipient has had as many messages as the limit allows.'),
('not_sent', 'organisation_disabled', 'Not sent: the organisation is switched off.'),
('not_sent', 'configuration_issue', 'Not sent: the configuration of the organisation or campaign is wrong.'),
('not_sent', 'repeatedly_bounced', 'Not sent: messages to this recipient have bounced again and again.'),
('not_sent', 'email_missing', 'Not sent: no email address is known.'),
('not_sent', 'mobile_missing', 'Not sent: no mobile number is known.'),
('not_sent', 'mobile_invalid', 'Not sent: the mobile number is wrong.'),
('not_sent', 'not_in_loyalty_program', 'Not sent: the recipient is not in the loyalty program.'),
('not_sent', 'coupon_configuration_issue', 'Not sent: the configuration of the coupon is wrong.'),
('not_sent', 'coupon_expired', 'Not sent: the coupon has expired.'),
('not_sent', 'coupon_id_missing', 'Not sent: the id of the coupon is missing.'),
('not_sent', 'coupon_date_invalid', 'Not sent: a date of the coupon is wrong.'),
('not_sent', 'coupon_redeemed', 'Not sent: the coupon has been redeemed already.'),
('not_sent', 'data_missing', 'Not sent: data that the message needs are missing.'),
('not_sent', 'gateway_configuration_issue', 'Not sent: the configuration of the gateway is wrong.'),
('not_sent', 'system_timeout', 'Not sent: the campaign system took too long.'),
('not_sent', 'handler_not_found', 'Not sent: the campaign system found nothing to send it with.'),
('not_sent', 'coupon_issue_error', 'Not sent: the coupon could not be issued.'),
('not_sent', 'referral_service_error', 'Not sent: the referral service failed.'),
('not_sent', 'subscription_service_error', 'Not sent: the subscription service failed.'),
('not_sent', 'unclassified', 'Not sent, for a reason that is not known here.'),
('unanswered', 'no_answer', 'Nobody answered the call.'),
('unanswered', 'busy', 'The line was busy.'),
('unanswered', 'canceled', 'It was withdrawn before it was sent.'),
('state', 'delivered', 'It was delivered.'),
('state', 'not_delivered', 'It was not delivered.'),
('state', 'in_gateway', 'The gateway has it and has not said yet how it ended.'),
('state', 'queued', 'It waits in the campaign system.'),
('state', 'about_to_be_sent', 'The campaign system is about to send it.');

create function fact.masked(address text) returns text
language sql immutable strict parallel safe
return case
    -- a number: its country calling code and its last two digits, where five digits and more stay hidden
    when address like '+%' then
        coalesce(
            substring(
                address from
                '^(\+(?:[17]|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]'
                '|(?:2[1-689]|3[578]|42|5[09]|6[7-9]|8[035789]|9[679])\d))\d{5,}\d{2}$'
            ) || '***' || right(address, 2),
            '+***'
        )
    -- an address: its domain, and the first character of what stands before it, where that has four and more
    when strpos(address, '@') > 1 then
        case
            when length(address) - strpos(reverse(address), '@') >= 4 then left(address, 1)
            else ''
        end || '***@' || right(address, strpos(reverse(address), '@') - 1)
    else '***'
end;
comment on function fact.masked is 'An address that nobody can be reached by: a***@gmail.com, +49***12. Hides how long it is, and everything of short ones but the domain.';

-- Events of one message. Functions that keep their plans, because planning over every month of history takes longer than
-- finding the rows; they run as the owner, and show nothing that the views do not show of every message. No key of an
-- event has a time much before the first event of its leg (mutable rows begin with their creation), so that the months
-- before it need not be looked into.
create function fact.timeline(message uuid) returns jsonb
language plpgsql stable strict parallel safe security definer
set search_path = pg_catalog set timezone = 'UTC' set plan_cache_mode = force_generic_plan
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
                        'url', event.url
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
comment on function fact.timeline is 'Every event of a message in order of time, as the detail views of schema report show it.';

create function fact.failure(
    event uuid,
    out failure_class text, out failure_reason text, out provider_code text, out status_code text,
    out provider_reason text
) language plpgsql stable strict parallel safe security definer
set search_path = pg_catalog set plan_cache_mode = force_generic_plan
as $$
begin
    select told.failure_class, told.failure_reason, told.provider_code, told.status_code, told.provider_reason
    into failure_class, failure_reason, provider_code, status_code, provider_reason
    from fact.event as told
    where told.event_key = event;
end
$$;
comment on function fact.failure is 'Why a message failed, by the key of the event that says so.';
revoke execute on function fact.timeline, fact.failure from public;
grant execute on function fact.timeline, fact.failure
    to waybill_reporter, waybill_bi_reader, waybill_support_reader;

-- Asked once for a query, and never by a parallel worker: so the half of the view below that it shuts is not begun.
create function fact.sees_recipients() returns boolean
language sql stable parallel restricted
set search_path = pg_catalog
return pg_has_role(current_user, 'waybill_support_reader', 'usage');
comment on function fact.sees_recipients is 'Whether who asks may see clear recipients: members of waybill_support_reader.';

-- Messages with the recipient as whoever asks may see it. A security barrier: no condition of a reader is tried on a row
-- before this view has decided, and the planner shows nobody its statistics of addresses. Each half is left out whole
-- where its condition does not hold, so that support staff find a clear address by its index.
create view private.message_with_recipient with (security_barrier) as
select
    shown.message_key,
    shown.account,
    shown.channel,
    shown.dispatch_id,
    shown.recipient collate "C" as recipient,
    shown.state,
    shown.sent_at,
    shown.sent_day,
    shown.provider,
    shown.campaign_id,
    shown.template_id,
    shown.mailbox_provider,
    shown.country,
    shown.not_sent_category,
    shown.not_sent_reason,
    shown.is_scheduled,
    shown.is_delivered_then_bounced,
    shown.is_opened,
    shown.is_opened_human,
    shown.is_clicked,
    shown.is_clicked_human,
    shown.is_spam_reported,
    shown.is_unsubscribed,
    shown.unanswered_type,
    shown.answered_by,
    shown.segments,
    shown.duration_seconds
from (
    select
        message.message_key,
        message.account,
        message.channel,
        message.dispatch_id,
        message.state,
        message.sent_at,
        message.sent_day,
        message.provider,
        message.campaign_id,
        message.template_id,
        message.mailbox_provider,
        message.country,
        message.not_sent_category,
        message.not_sent_reason,
        message.is_scheduled,
        message.is_delivered_then_bounced,
        message.is_opened,
        message.is_opened_human,
        message.is_clicked,
        message.is_clicked_human,
        message.is_spam_reported,
        message.is_unsubscribed,
        message.unanswered_type,
        message.answered_by,
        message.segments,
        message.duration_seconds,
        recipient.address collate "C" as recipient
    from fact.message as message
    left join private.recipient as recipient on recipient.recipient_key = message.recipient_key
    where fact.sees_recipients()
    union all
    select
        message.message_key,
        message.account,
        message.channel,
        message.dispatch_id,
        message.state,
        message.sent_at,
        message.sent_day,
        message.provider,
        message.campaign_id,
        message.template_id,
        message.mailbox_provider,
        message.country,
        message.not_sent_category,
        message.not_sent_reason,
        message.is_scheduled,
        message.is_delivered_then_bounced,
        message.is_opened,
        message.is_opened_human,
        message.is_clicked,
        message.is_clicked_human,
        message.is_spam_reported,
        message.is_unsubscribed,
        message.unanswered_type,
        message.answered_by,
        message.segments,
        message.duration_seconds,
        (
            select fact.masked(recipient.address) collate "C"
            from private.recipient as recipient
            where recipient.recipient_key = message.recipient_key
        ) as recipient
    from fact.message as message
    where not fact.sees_recipients()
) as shown;

-- Everything that is shown of a message of any channel; the views below are parts of it. What is not asked for is not
-- looked up: the legs, the failure's event and the timeline only where a column of theirs is selected.
create view private.message_detail as
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
            filter (where own.provider <> 'dispatch')
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
    where own.message_key = message.message_key
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

comment on view private.message_with_recipient is 'Messages with their recipient: clear for members of waybill_support_reader, masked for everybody else. Read through the detail views of schema report.';
comment on view private.message_detail is 'All that the detail views of schema report show, of messages of every channel.';
comment on column private.message_detail.message_key is 'Key of the message.';
comment on column private.message_detail.account is 'Account (organisation).';
comment on column private.message_detail.channel is 'email, sms or ivr.';
comment on column private.message_detail.dispatch_id is 'Id of the message in the campaign system; null where none is known. Has an index.';
comment on column private.message_detail.campaign_id is 'Campaign, or (none).';
comment on column private.message_detail.template_id is 'Template, or (none).';
comment on column private.message_detail.provider is 'Gateway that carried the message last, or was to; (none) where it was handed to none.';
comment on column private.message_detail.provider_message_id is 'The message''s id at the gateway that carried it last.';
comment on column private.message_detail.recipient is 'Recipient: clear for members of waybill_support_reader (who can search by it: whole, email in lower case, phone as + and digits), masked for everybody else (a***@gmail.com, +49***12). Null where it is not known, or was erased.';
comment on column private.message_detail.mailbox_provider is 'gmail, yahoo, microsoft, apple, other or (none), from the recipient''s domain.';
comment on column private.message_detail.country is 'ISO 3166-1 alpha-2, from the recipient''s number, or (none).';
comment on column private.message_detail.state is 'delivered, bounced, not_delivered, in_gateway, not_sent or in_progress: section 6 of the design.';
comment on column private.message_detail.words is 'Every word of report.communication_activity_daily that it counts under, in any state: Processed, Delivered, Open, Click, Spam, Dropped, Bounced, Blocked, Invalid; of text messages Delivered, Undelivered; of calls Completed, No-Answer, Failed.';
comment on column private.message_detail.progress is 'Of a message in progress: queued or about_to_be_sent; else null.';
comment on column private.message_detail.first_event_at is 'When it was first heard of, also where it was never sent (UTC).';
comment on column private.message_detail.sent_at is 'First event of a gateway, or the hand-over (UTC); null: never sent.';
comment on column private.message_detail.sent_day is 'Local day of sent_at; null: never sent. Has an index.';
comment on column private.message_detail.processed_at is 'The gateway first accepted it (UTC).';
comment on column private.message_detail.deferred_at is 'First refused for now (UTC).';
comment on column private.message_detail.delivered_at is 'First delivered (UTC).';
comment on column private.message_detail.opened_at is 'First opened, or read (UTC), machines included.';
comment on column private.message_detail.human_opened_at is 'First opened by other than flagged machines (UTC).';
comment on column private.message_detail.clicked_at is 'First clicked (UTC), machines included.';
comment on column private.message_detail.human_clicked_at is 'First clicked by other than flagged machines (UTC).';
comment on column private.message_detail.spam_reported_at is 'First marked as spam by the recipient (UTC).';
comment on column private.message_detail.dropped_at is 'The gateway first refused to send it (UTC).';
comment on column private.message_detail.bounced_at is 'First bounced for another reason than an invalid address (UTC): the word Bounced.';
comment on column private.message_detail.blocked_at is 'First bounced as blocked (UTC): the word Blocked.';
comment on column private.message_detail.invalid_at is 'First bounced or dropped because the address is invalid (UTC): the word Invalid.';
comment on column private.message_detail.undelivered_at is 'First reported as not delivered (UTC).';
comment on column private.message_detail.completed_at is 'First connected and ended (UTC).';
comment on column private.message_detail.no_answer_at is 'First not answered, or busy (UTC).';
comment on column private.message_detail.failed_at is 'First failed or canceled (UTC).';
comment on column private.message_detail.is_opened is 'Opened or clicked, or an email unsubscribed from.';
comment on column private.message_detail.is_opened_human is 'The same, by other than flagged machines.';
comment on column private.message_detail.is_clicked is 'Clicked, or an email unsubscribed from.';
comment on column private.message_detail.is_clicked_human is 'The same, by other than flagged machines.';
comment on column private.message_detail.is_spam_reported is 'Marked as spam.';
comment on column private.message_detail.is_unsubscribed is 'Unsubscribed from.';
comment on column private.message_detail.is_delivered_then_bounced is 'Bounced, and a delivery came before.';
comment on column private.message_detail.is_stale is 'Still in the gateway 72 hours after it was sent, at the as_of of the last published build. False before the first build.';
comment on column private.message_detail.failure_class is 'Class of its failure: of its latest one of class invalid, hard_bounce, soft_bounce or blocked; without one, of its latest: gateway_suppressed or unknown. Also where it came through after all: state says. Null: nothing failed.';
comment on column private.message_detail.failure_reason is 'The finer reason of the same failure, a word of section 4 of the design.';
comment on column private.message_detail.not_sent_category is 'Of a message that was not sent: internally_suppressed, incomplete_or_invalid, system_error or other.';
comment on column private.message_detail.not_sent_reason is 'Of a message that was not sent: the reason, a word of section 4 of the design; unclassified where the campaign system''s word is not known (the timeline has it).';
comment on column private.message_detail.reason_in_words is 'Why it did not arrive, or where it is, in plain words.';
comment on column private.message_detail.provider_code is 'The provider''s own code of the same failure. Twilio: error code. SendGrid: type/classification.';
comment on column private.message_detail.status_code is 'Enhanced status code of the same failure (RFC 3463).';
comment on column private.message_detail.provider_reason is 'The provider''s text of the same failure; addresses and numbers in it are redacted.';
comment on column private.message_detail.unanswered_type is 'Of a message neither completed nor in the gateway: latest of no_answer, busy, failed, canceled.';
comment on column private.message_detail.answered_by is 'Who answered the latest completed call: human, machine_start, fax, …';
comment on column private.message_detail.segments is 'SMS segments (count), over all gateways that carried it; null: not told.';
comment on column private.message_detail.duration_seconds is 'Duration in seconds, over all calls of the message; null: not told.';
comment on column private.message_detail.cost is 'What it costs so far (exact; unit: currency); null: not told, or in several currencies (see report.message_cost_daily).';
comment on column private.message_detail.currency is 'Currency of cost, ISO 4217.';
comment on column private.message_detail.timeline is 'Every event of the message in order of time, as a JSON array: at (UTC), event_type, provider, provider_event, and where there are any gateway, failure_class, failure_reason, provider_code, status_code, reason (redacted), is_machine, url.';

create view report.email_activity as
select
    message_key,
    account,
    dispatch_id,
    campaign_id,
    template_id,
    provider,
    provider_message_id,
    recipient,
    mailbox_provider,
    state,
    words,
    progress,
    first_event_at,
    sent_at,
    sent_day,
    processed_at,
    deferred_at,
    delivered_at,
    opened_at,
    human_opened_at,
    clicked_at,
    human_clicked_at,
    spam_reported_at,
    dropped_at,
    bounced_at,
    blocked_at,
    invalid_at,
    is_opened,
    is_opened_human,
    is_clicked,
    is_clicked_human,
    is_spam_reported,
    is_unsubscribed,
    is_delivered_then_bounced,
    is_stale,
    failure_class,
    failure_reason,
    not_sent_category,
    not_sent_reason,
    reason_in_words,
    provider_code,
    status_code,
    provider_reason,
    timeline
from private.message_detail
where channel = 'email';

create view report.sms_activity as
select
    message_key,
    account,
    dispatch_id,
    campaign_id,
    template_id,
    provider,
    provider_message_id,
    recipient,
    country,
    state,
    words,
    progress,
    first_event_at,
    sent_at,
    sent_day,
    processed_at,
    delivered_at,
    opened_at,
    dropped_at,
    undelivered_at,
    is_opened,
    is_unsubscribed,
    is_delivered_then_bounced,
    is_stale,
    failure_class,
    failure_reason,
    not_sent_category,
    not_sent_reason,
    reason_in_words,
    provider_code,
    status_code,
    provider_reason,
    segments,
    cost,
    currency,
    timeline
from private.message_detail
where channel = 'sms';

create view report.ivr_activity as
select
    message_key,
    account,
    dispatch_id,
    campaign_id,
    template_id,
    provider,
    provider_message_id,
    recipient,
    country,
    state,
    words,
    progress,
    first_event_at,
    sent_at,
    sent_day,
    processed_at,
    completed_at,
    no_answer_at,
    failed_at,
    is_delivered_then_bounced,
    is_stale,
    failure_class,
    failure_reason,
    not_sent_category,
    not_sent_reason,
    reason_in_words,
    provider_code,
    status_code,
    provider_reason,
    unanswered_type,
    answered_by,
    duration_seconds,
    cost,
    currency,
    timeline
from private.message_detail
where channel = 'ivr';
comment on view report.email_activity is 'Every email with what became of it, one row per message; also those that were never sent.';
comment on view report.sms_activity is 'Every text message with what became of it, one row per message; also those that were never sent.';
comment on view report.ivr_activity is 'Every call with what became of it, one row per message; also those that were never made.';

-- The emails that have a word, whatever became of them later: as report.communication_activity_daily counts them. The
-- columns are those of report.email_activity, in the same order; so is every comment, one meaning per column name.
do $$
declare
    listed text := (
        select string_agg(format('%I', attname), ', ' order by attnum)
        from pg_attribute
        where attrelid = 'report.email_activity'::regclass and attnum > 0 and not attisdropped
    );
    failed text := 'exists (select from fact.leg as leg where leg.message_key = activity.message_key'
        ' and leg.last_failure_at is not null and leg.%I is not null)';
    described record;
begin
    execute format(
        'create view report.bounced_email as select %s from report.email_activity as activity where %s',
        listed, format(failed, 'first_bounced_at')
    );
    execute format(
        'create view report.blocked_email as select %s from report.email_activity as activity where %s',
        listed, format(failed, 'first_blocked_at')
    );
    execute format(
        'create view report.invalid_email as select %s from report.email_activity as activity where %s',
        listed, format(failed, 'first_invalid_at')
    );
    execute format(
        'create view report.spam_email as select %s from report.email_activity as activity where is_spam_reported', listed
    );
    for described in
        select format('comment on column %s.%I is %L', shown.attrelid::regclass, shown.attname, detail.comment) as text
        from pg_attribute as shown
        inner join (
            select attname, col_description(attrelid, attnum) as comment
            from pg_attribute
            where attrelid = 'private.message_detail'::regclass
        ) as detail on detail.attname = shown.attname
        where
            shown.attnum > 0
            and shown.attrelid in (
                'private.message_with_recipient'::regclass, 'report.email_activity'::regclass,
                'report.bounced_email'::regclass, 'report.blocked_email'::regclass, 'report.invalid_email'::regclass,
                'report.spam_email'::regclass, 'report.sms_activity'::regclass, 'report.ivr_activity'::regclass
            )
    loop
        execute described.text;
    end loop;
end
$$;
comment on column private.message_with_recipient.is_scheduled is 'Of a message in progress: about to be sent; else queued.';
comment on view report.bounced_email is 'Emails with the word Bounced: bounced at least once for another reason than an invalid address, also where they came through later (state says). failure_class and failure_reason say why.';
comment on view report.blocked_email is 'Emails with the word Blocked: bounced at least once as blocked (reputation, content, policy). They are bounced too.';
comment on view report.invalid_email is 'Emails with the word Invalid: bounced or dropped at least once because the address is malformed or does not exist.';
comment on view report.spam_email is 'Emails with the word Spam: marked as spam by the recipient.';

grant select on
    report.email_activity, report.bounced_email, report.blocked_email, report.invalid_email, report.spam_email,
    report.sms_activity, report.ivr_activity
    to waybill_reporter, waybill_bi_reader, waybill_support_reader;
