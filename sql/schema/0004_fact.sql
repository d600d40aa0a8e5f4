-- Facts. Texts collate "C", so that least and greatest mean bytes, as in the model.
-- fact.event is partitioned by range of its own key, whose first 48 bits are a time: months, and one below them all.
-- fact.leg and fact.message are pure functions of the events; they are written differences only.
create table fact.event (
    event_key uuid not null,
    event_at timestamptz not null,
    channel text collate "C" not null,
    event_type text collate "C" not null,
    provider text collate "C" not null,
    gateway text collate "C",
    feed text collate "C" not null,
    account text collate "C" not null,
    provider_account text collate "C",
    leg_key uuid,
    provider_message_id text collate "C",
    provider_event_id text collate "C",
    dispatch_id text collate "C",
    campaign_id text collate "C",
    campaign_source text collate "C",
    template_id text collate "C",
    template_source text collate "C",
    recipient_key bytea,
    mailbox_provider text collate "C",
    country text collate "C",
    failure_class text collate "C",
    failure_reason text collate "C",
    provider_code text collate "C",
    status_code text collate "C",
    provider_event text collate "C",
    provider_reason text collate "C",
    not_sent_category text collate "C",
    not_sent_reason text collate "C",
    url text collate "C",
    user_agent text collate "C",
    ip text collate "C",
    is_machine boolean,
    machine_rule text collate "C",
    scope text collate "C",
    segments integer,
    price numeric,
    currency text collate "C",
    duration_seconds integer,
    answered_by text collate "C",
    tags text[] collate "C",
    extra jsonb,
    named_leg_key uuid,
    rules_version integer not null,
    primary key (event_key)
) partition by range (event_key);
comment on table fact.event is 'Canonical events, each once, however often and by however many routes it was told.';
comment on column fact.event.event_key is 'UUID of version 8: milliseconds of a time that never changes, then a keyed hash of the event''s identity.';
comment on column fact.event.event_at is 'When it happened, as the provider says (UTC).';
comment on column fact.event.channel is 'email, sms or ivr.';
comment on column fact.event.event_type is 'One of the 24 words of section 4 of the design; unknown if the provider''s word has no mapping.';
comment on column fact.event.provider is 'Who tells it: sendgrid, twilio, …, or dispatch for the campaign system''s own log.';
comment on column fact.event.gateway is 'The provider that a row of the dispatch log names, as written.';
comment on column fact.event.feed is 'Feed that told it (the greatest where several did).';
comment on column fact.event.account is 'The organisation that the feeds belong to.';
comment on column fact.event.provider_account is 'The provider''s own account id.';
comment on column fact.event.leg_key is 'The leg it belongs to; null where the record names no message.';
comment on column fact.event.provider_message_id is 'The provider''s message id, normalised.';
comment on column fact.event.provider_event_id is 'The provider''s own event id; changes on some retries, in no key.';
comment on column fact.event.dispatch_id is 'Dispatch id that the event itself names.';
comment on column fact.event.campaign_id is 'Campaign that the event itself names.';
comment on column fact.event.campaign_source is 'dispatch_log, custom_argument, provider or category.';
comment on column fact.event.template_id is 'Template that the event itself names.';
comment on column fact.event.template_source is 'dispatch_log, custom_argument or provider.';
comment on column fact.event.recipient_key is 'Keyed hash of the recipient; the clear address is in private.recipient only.';
comment on column fact.event.mailbox_provider is 'gmail, yahoo, microsoft, apple or other: from the recipient''s domain.';
comment on column fact.event.country is 'ISO 3166-1 alpha-2, from the recipient''s number.';
comment on column fact.event.failure_class is 'On failures: invalid, hard_bounce, soft_bounce, blocked, gateway_suppressed or unknown.';
comment on column fact.event.failure_reason is 'On failures: a finer reason, by the versioned rules.';
comment on column fact.event.provider_code is 'Twilio: error code. SendGrid: type/classification of a bounce.';
comment on column fact.event.status_code is 'Enhanced status code of RFC 3463.';
comment on column fact.event.provider_event is 'The provider''s own word for the event.';
comment on column fact.event.provider_reason is 'The provider''s text, redacted.';
comment on column fact.event.not_sent_category is 'On suppressed: category of the reason.';
comment on column fact.event.not_sent_reason is 'On suppressed: the reason as the campaign system wrote it.';
comment on column fact.event.url is 'Link that was followed, redacted.';
comment on column fact.event.user_agent is 'User agent, redacted.';
comment on column fact.event.ip is 'IP address as the provider wrote it.';
comment on column fact.event.is_machine is 'What the provider''s own flag says; null: it says nothing.';
comment on column fact.event.machine_rule is 'Further suspicion that a machine did it; changes no count.';
comment on column fact.event.scope is 'Of an unsubscribe: global, or the group.';
comment on column fact.event.segments is 'SMS segments (count).';
comment on column fact.event.price is 'What it costs, positive; a credit is negative. Unit: currency.';
comment on column fact.event.currency is 'ISO 4217, upper case.';
comment on column fact.event.duration_seconds is 'Duration of a call in seconds.';
comment on column fact.event.answered_by is 'Who answered a call: human, machine_start, fax, …';
comment on column fact.event.tags is 'Tags or categories, redacted.';
comment on column fact.event.extra is 'What else the provider said, redacted.';
comment on column fact.event.named_leg_key is 'The gateway leg that a row of the dispatch log names.';
comment on column fact.event.rules_version is 'Version of the rules that derived event_type, failure_class, failure_reason, not_sent_category, mailbox_provider, country and machine_rule.';
create index event_leg on fact.event (leg_key) where leg_key is not null;
create index event_named_leg on fact.event (named_leg_key) where named_leg_key is not null;
create index event_unattributed on fact.event (account, feed) where leg_key is null;
create index event_engagement on fact.event (event_at) where event_type in ('opened', 'clicked', 'unsubscribed');

create table fact.leg (
    leg_key uuid primary key,
    account text collate "C" not null,
    channel text collate "C",
    provider text collate "C",
    provider_message_id text collate "C",
    recipient_key bytea,
    event_count bigint not null,
    own_dispatch_id text collate "C",
    named_dispatch_id text collate "C",
    message_key uuid,
    campaign_choice text collate "C",
    template_choice text collate "C",
    mailbox_provider text collate "C",
    country text collate "C",
    first_event_at timestamptz,
    first_gateway_event_at timestamptz,
    is_scheduled boolean,
    has_other_failure boolean,
    is_unsubscribed boolean,
    last_delivered_at timestamptz,
    last_suppressed_at timestamptz,
    last_suppressed_key uuid,
    last_suppressed_category text collate "C",
    last_suppressed_reason text collate "C",
    last_handed_over_at timestamptz,
    last_handed_over_key uuid,
    last_handed_over_gateway text collate "C",
    last_bounce_at timestamptz,
    last_bounce_key uuid,
    last_bounce_class text collate "C",
    last_bounce_reason text collate "C",
    last_failure_at timestamptz,
    last_failure_key uuid,
    last_failure_class text collate "C",
    last_failure_reason text collate "C",
    last_unanswered_at timestamptz,
    last_unanswered_key uuid,
    last_unanswered_type text collate "C",
    last_completed_at timestamptz,
    last_completed_key uuid,
    last_completed_by text collate "C",
    first_processed_at timestamptz,
    first_deferred_at timestamptz,
    first_delivered_at timestamptz,
    first_dropped_at timestamptz,
    first_bounced_at timestamptz,
    first_blocked_at timestamptz,
    first_invalid_at timestamptz,
    first_undelivered_at timestamptz,
    first_completed_at timestamptz,
    first_no_answer_at timestamptz,
    first_failed_at timestamptz,
    first_opened_at timestamptz,
    first_human_opened_at timestamptz,
    first_clicked_at timestamptz,
    first_human_clicked_at timestamptz,
    first_spam_reported_at timestamptz,
    segments integer,
    price numeric,
    currency text collate "C",
    duration_seconds integer,
    engaged_days date[]
);
comment on table fact.leg is 'What one system calls one message: a pure function of the set of its merged events.';
comment on column fact.leg.leg_key is 'Keyed hash of (account, provider, provider_message_id, and the recipient where the id covers several), or of (account, dispatch, channel, dispatch_id).';
comment on column fact.leg.account is 'Account.';
comment on column fact.leg.channel is 'email, sms or ivr; null while only the dispatch log has named the leg.';
comment on column fact.leg.provider is 'Provider, or dispatch; null while only the dispatch log has named the leg.';
comment on column fact.leg.provider_message_id is 'The provider''s message id, normalised.';
comment on column fact.leg.recipient_key is 'Recipient (the greatest, should its events differ).';
comment on column fact.leg.event_count is 'Its own events. 0: the dispatch log has named it, and no event has come.';
comment on column fact.leg.own_dispatch_id is 'Least dispatch id that its own events name.';
comment on column fact.leg.named_dispatch_id is 'Least dispatch id of the dispatch-log rows that name this leg.';
comment on column fact.leg.message_key is 'The message it is part of; null while it has no event.';
comment on column fact.leg.campaign_choice is 'Best campaign of its events: rank of the source (1 dispatch log, 2 custom argument, 3 provider, 4 category), then the id.';
comment on column fact.leg.template_choice is 'Best template of its events, written likewise.';
comment on column fact.leg.mailbox_provider is 'Least mailbox provider of its events.';
comment on column fact.leg.country is 'Least country of its events.';
comment on column fact.leg.first_event_at is 'First of its events (UTC).';
comment on column fact.leg.first_gateway_event_at is 'First event other than queued, scheduled, suppressed (UTC).';
comment on column fact.leg.is_scheduled is 'It has scheduled.';
comment on column fact.leg.has_other_failure is 'It has a failure of another class than the four of bounced, or no_answer, busy or canceled.';
comment on column fact.leg.is_unsubscribed is 'It has unsubscribed.';
comment on column fact.leg.last_delivered_at is 'Last delivered or completed (UTC).';
comment on column fact.leg.last_suppressed_at is 'Last suppressed (UTC).';
comment on column fact.leg.last_suppressed_key is 'Its event key.';
comment on column fact.leg.last_suppressed_category is 'Its not_sent_category.';
comment on column fact.leg.last_suppressed_reason is 'Its not_sent_reason.';
comment on column fact.leg.last_handed_over_at is 'Last handed_over (UTC).';
comment on column fact.leg.last_handed_over_key is 'Its event key.';
comment on column fact.leg.last_handed_over_gateway is 'The gateway it names.';
comment on column fact.leg.last_bounce_at is 'Last failure of class invalid, hard_bounce, soft_bounce or blocked (UTC).';
comment on column fact.leg.last_bounce_key is 'Its event key.';
comment on column fact.leg.last_bounce_class is 'Its failure_class.';
comment on column fact.leg.last_bounce_reason is 'Its failure_reason.';
comment on column fact.leg.last_failure_at is 'Last bounced or dropped, of any class (UTC).';
comment on column fact.leg.last_failure_key is 'Its event key.';
comment on column fact.leg.last_failure_class is 'Its failure_class.';
comment on column fact.leg.last_failure_reason is 'Its failure_reason.';
comment on column fact.leg.last_unanswered_at is 'Last no_answer, busy, failed or canceled (UTC).';
comment on column fact.leg.last_unanswered_key is 'Its event key.';
comment on column fact.leg.last_unanswered_type is 'Its event_type.';
comment on column fact.leg.last_completed_at is 'Last completed (UTC).';
comment on column fact.leg.last_completed_key is 'Its event key.';
comment on column fact.leg.last_completed_by is 'Its answered_by.';
comment on column fact.leg.first_processed_at is 'First processed (UTC).';
comment on column fact.leg.first_deferred_at is 'First deferred (UTC).';
comment on column fact.leg.first_delivered_at is 'First delivered (UTC).';
comment on column fact.leg.first_dropped_at is 'First dropped (UTC).';
comment on column fact.leg.first_bounced_at is 'First bounced of another class than invalid (UTC).';
comment on column fact.leg.first_blocked_at is 'First bounced of class blocked (UTC).';
comment on column fact.leg.first_invalid_at is 'First bounced or dropped of class invalid (UTC).';
comment on column fact.leg.first_undelivered_at is 'First undelivered (UTC).';
comment on column fact.leg.first_completed_at is 'First completed (UTC).';
comment on column fact.leg.first_no_answer_at is 'First no_answer or busy (UTC).';
comment on column fact.leg.first_failed_at is 'First failed or canceled of a call (UTC).';
comment on column fact.leg.first_opened_at is 'First opened (UTC).';
comment on column fact.leg.first_human_opened_at is 'First opened that the provider does not flag as a machine''s (UTC).';
comment on column fact.leg.first_clicked_at is 'First clicked (UTC).';
comment on column fact.leg.first_human_clicked_at is 'First clicked that the provider does not flag as a machine''s (UTC).';
comment on column fact.leg.first_spam_reported_at is 'First spam_reported (UTC).';
comment on column fact.leg.segments is 'Greatest segments (count).';
comment on column fact.leg.price is 'Greatest price. Unit: currency.';
comment on column fact.leg.currency is 'Greatest currency, ISO 4217.';
comment on column fact.leg.duration_seconds is 'Greatest duration in seconds.';
comment on column fact.leg.engaged_days is 'Local days of its opened, clicked and unsubscribed events, in order.';
create index leg_message on fact.leg (message_key) where message_key is not null;

create table fact.message (
    message_key uuid primary key,
    account text collate "C" not null,
    channel text collate "C" not null,
    dispatch_id text collate "C",
    recipient_key bytea,
    state text collate "C" not null,
    sent_at timestamptz,
    sent_day date,
    provider text collate "C",
    campaign_id text collate "C",
    template_id text collate "C",
    mailbox_provider text collate "C",
    country text collate "C",
    failure_class text collate "C",
    failure_reason text collate "C",
    not_sent_category text collate "C",
    not_sent_reason text collate "C",
    is_scheduled boolean not null,
    is_delivered_then_bounced boolean not null,
    is_opened boolean not null,
    is_opened_human boolean not null,
    is_clicked boolean not null,
    is_clicked_human boolean not null,
    is_spam_reported boolean not null,
    is_unsubscribed boolean not null,
    unanswered_type text collate "C",
    answered_by text collate "C",
    segments bigint,
    duration_seconds bigint,
    days date[] not null
);
comment on table fact.message is 'The legs of one account, channel and dispatch id; a leg without one is a message by itself.';
comment on column fact.message.message_key is 'The leg_key where the message is one leg without a dispatch id; else a hash of (account, channel, dispatch_id).';
comment on column fact.message.account is 'Account.';
comment on column fact.message.channel is 'email, sms or ivr.';
comment on column fact.message.dispatch_id is 'Dispatch id, if one is known.';
comment on column fact.message.recipient_key is 'Recipient: the dispatch log''s, else the gateway''s, then the greatest.';
comment on column fact.message.state is 'delivered, bounced, not_delivered, in_gateway, not_sent or in_progress: section 6 of the design.';
comment on column fact.message.sent_at is 'First gateway-side event (UTC); null: never handed over.';
comment on column fact.message.sent_day is 'Local day of sent_at.';
comment on column fact.message.provider is 'Provider of the gateway leg that began last; without one, the gateway that the latest handed_over names.';
comment on column fact.message.campaign_id is 'Campaign, from the best source.';
comment on column fact.message.template_id is 'Template, from the best source.';
comment on column fact.message.mailbox_provider is 'Mailbox provider, from the best source.';
comment on column fact.message.country is 'Country, from the best source.';
comment on column fact.message.failure_class is 'Of a bounced message: class of the deciding failure.';
comment on column fact.message.failure_reason is 'Of a bounced message: reason of the deciding failure.';
comment on column fact.message.not_sent_category is 'Of a message that was not sent: category.';
comment on column fact.message.not_sent_reason is 'Of a message that was not sent: reason.';
comment on column fact.message.is_scheduled is 'Of a message in progress: about to be sent; else queued.';
comment on column fact.message.is_delivered_then_bounced is 'Bounced, and a delivery came before.';
comment on column fact.message.is_opened is 'Opened or clicked, or an email unsubscribed from.';
comment on column fact.message.is_opened_human is 'The same, by other than flagged machines.';
comment on column fact.message.is_clicked is 'Clicked, or an email unsubscribed from.';
comment on column fact.message.is_clicked_human is 'The same, by other than flagged machines.';
comment on column fact.message.is_spam_reported is 'Reported as spam.';
comment on column fact.message.is_unsubscribed is 'Unsubscribed from.';
comment on column fact.message.unanswered_type is 'Of a call neither completed nor in the gateway: latest of no_answer, busy, failed, canceled.';
comment on column fact.message.answered_by is 'Of its latest completed call.';
comment on column fact.message.segments is 'SMS segments, summed over its legs (count).';
comment on column fact.message.duration_seconds is 'Call duration, summed over its legs, in seconds.';
comment on column fact.message.days is 'Local days on which it counts in some report, in order.';
create index message_day on fact.message using gin (days);

create function fact.message_key(account text, channel text, dispatch_id text) returns uuid
language sql immutable strict parallel safe
return substr(encode(sha256(convert_to(jsonb_build_array(account, channel, dispatch_id)::text, 'UTF8')), 'hex'), 1, 32)::uuid;
comment on function fact.message_key is 'Key of the message that the legs of one account, channel and dispatch id make.';

create function fact.key_floor(at timestamptz) returns uuid
language sql immutable strict parallel safe
return (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid;
comment on function fact.key_floor is 'Sorts before every event key of that millisecond or later.';

-- Makes the partitions of all months from the one of `from_at` to the one after `until_at`, and the one below them.
-- A month is created as a plain table and attached, so that readers go on. Only the owner may; loads call it.
create function fact.ensure_partitions(from_at timestamptz, until_at timestamptz) returns integer
language plpgsql security definer set search_path = pg_catalog set timezone = 'UTC'
as $$
declare
    month timestamptz := date_trunc('month', from_at);
    last_month timestamptz := date_trunc('month', until_at) + interval '1 month';
    oldest timestamptz;
    partition_name text;
    lower_bound uuid;
    upper_bound uuid;
    made integer := 0;
begin
    perform pg_advisory_xact_lock(hashtext('waybill'), hashtext('partitions'));
    select min(to_timestamp(substr(c.relname, 7), 'YYYYMM'))
        into oldest
        from pg_inherits as i
        inner join pg_class as c on c.oid = i.inhrelid
        where i.inhparent = 'fact.event'::regclass and c.relname ~ '^event_\d{6}$';
    if oldest is null then
        execute format(
            'create table fact.event_before partition of fact.event for values from (minvalue) to (%L)',
            fact.key_floor(month)
        );
        made := 1;
    else
        month := oldest;
    end if;
    while month <= last_month loop
        partition_name := 'event_' || to_char(month, 'YYYYMM');
        if to_regclass('fact.' || partition_name) is null then
            lower_bound := fact.key_floor(month);
            upper_bound := fact.key_floor(month + interval '1 month');
            execute format(
                'create table fact.%I (like fact.event including defaults including constraints)', partition_name
            );
            execute format(
                'alter table fact.%I add constraint key_range check (event_key >= %L and event_key < %L)',
                partition_name, lower_bound, upper_bound
            );
            execute format(
                'alter table fact.event attach partition fact.%I for values from (%L) to (%L)',
                partition_name, lower_bound, upper_bound
            );
            execute format('alter table fact.%I drop constraint key_range', partition_name);
            made := made + 1;
        end if;
        month := month + interval '1 month';
    end loop;
    return made;
end
$$;
comment on function fact.ensure_partitions is 'Makes the monthly partitions of fact.event that are missing; returns how many.';
revoke execute on function fact.ensure_partitions from public;
grant execute on function fact.ensure_partitions to waybill_loader;

grant select, insert, update, delete on fact.event, fact.leg, fact.message to waybill_loader;
grant select on fact.event, fact.leg, fact.message to waybill_reporter;
-- A full rebuild in another zone computes local days anew.
grant update (engaged_days) on fact.leg to waybill_reporter;
grant update (sent_day, days) on fact.message to waybill_reporter;
