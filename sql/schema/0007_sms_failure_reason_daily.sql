-- Why text messages failed; and for it, which failure each failed message is put down to.
create table report.sms_failure_reason_daily (
    sent_day date not null,
    account text collate "C" not null,
    provider text collate "C" not null,
    campaign_id text collate "C" not null,
    country text collate "C" not null,
    failure_class text collate "C" not null,
    failure_reason text collate "C" not null,
    provider_code text collate "C" not null,
    message_count bigint not null,
    primary key (
        sent_day, account, provider, campaign_id, country, failure_class, failure_reason, provider_code
    )
);
comment on table report.sms_failure_reason_daily is 'Why text messages were not delivered, by the day they were sent: the undelivered ones of report.sms_activity_daily, each once, so that the rows of each grain of that report add up to its undelivered.';
comment on column report.sms_failure_reason_daily.sent_day is 'Local day on which the message was handed over.';
comment on column report.sms_failure_reason_daily.account is 'Account (organisation).';
comment on column report.sms_failure_reason_daily.provider is 'Gateway that carried the message last, or (none).';
comment on column report.sms_failure_reason_daily.campaign_id is 'Campaign, or (none).';
comment on column report.sms_failure_reason_daily.country is 'ISO 3166-1 alpha-2, from the recipient''s number, or (none).';
comment on column report.sms_failure_reason_daily.failure_class is 'Of a bounced message the class of the failure that decides: invalid, hard_bounce, soft_bounce or blocked; of another that of its latest failure: gateway_suppressed or unknown; (none) where nothing failed: it was canceled.';
comment on column report.sms_failure_reason_daily.failure_reason is 'The finer reason of the same failure, a word of section 4 of the design; unclassified where no rule fits; (none) as above.';
comment on column report.sms_failure_reason_daily.provider_code is 'The provider''s own error code of the same failure, or (none).';
comment on column report.sms_failure_reason_daily.message_count is 'Messages (count).';

grant select, insert, update, delete on report.sms_failure_reason_daily to waybill_reporter;
grant select on report.sms_failure_reason_daily to waybill_bi_reader, waybill_support_reader;

-- A leg's last failure was the last bounced or dropped; now it is the last of all four words for a failure.
with
last_failure as (
    select distinct on (leg_key) leg_key, event_at, event_key, failure_class, failure_reason
    from fact.event
    where
        event_type in ('bounced', 'dropped', 'undelivered', 'failed')
        and channel <> 'email'
        and leg_key is not null
    order by leg_key, event_at desc, event_key desc
)

update fact.leg as leg
set
    last_failure_at = last_failure.event_at,
    last_failure_key = last_failure.event_key,
    last_failure_class = last_failure.failure_class,
    last_failure_reason = last_failure.failure_reason
from last_failure
where leg.leg_key = last_failure.leg_key and leg.last_failure_key is distinct from last_failure.event_key;
comment on column fact.leg.last_failure_at is 'Last bounced, dropped, undelivered or failed, of any class (UTC).';

-- The four reports of this number are empty, and no load need touch the days that are there: all of them wait for the
-- next build, in the name of the last load.
insert into ops.changed_day (load_id, day)
select newest.load_id, counted.day
from (select max(load_id) as load_id from ops.load where status = 'published') as newest
cross join (
    select day from fact.message cross join lateral unnest(days) as day group by day
) as counted
where newest.load_id is not null
on conflict do nothing;

-- Last, because from here on nobody else reads messages. What loads fold from now on, for the rows that are there.
alter table fact.message add column failure_key uuid;
comment on column fact.message.failure_key is 'Event key of the failure that it is put down to: of a bounced message the deciding one; of one not delivered its latest failure; null where it has none (canceled, busy, no_answer), and in every other state.';
with
deciding as (
    select distinct on (message.message_key) message.message_key, leg.last_bounce_key as failure_key
    from fact.message as message
    inner join fact.leg as leg on leg.message_key = message.message_key
    where message.state = 'bounced' and leg.last_bounce_at is not null
    order by message.message_key, leg.last_bounce_at desc, leg.last_bounce_key desc
),

latest as (
    select distinct on (message.message_key) message.message_key, leg.last_failure_key as failure_key
    from fact.message as message
    inner join fact.leg as leg on leg.message_key = message.message_key
    where message.state = 'not_delivered' and leg.last_failure_at is not null
    order by message.message_key, leg.last_failure_at desc, leg.last_failure_key desc
)

update fact.message as message
set failure_key = failure.failure_key
from (select message_key, failure_key from deciding union all select message_key, failure_key from latest) as failure
where message.message_key = failure.message_key;
