-- How long deliveries and people take.
create table report.delivery_latency_daily (
    sent_day date not null,
    account text collate "C" not null,
    channel text collate "C" not null,
    provider text collate "C" not null,
    mailbox_provider text collate "C" not null,
    delivery_count bigint not null,
    delivery_p50_seconds numeric(12, 3),
    delivery_p90_seconds numeric(12, 3),
    delivery_p99_seconds numeric(12, 3),
    human_open_count bigint not null,
    human_open_p50_seconds numeric(12, 3),
    human_open_p90_seconds numeric(12, 3),
    human_open_p99_seconds numeric(12, 3),
    primary key (sent_day, account, channel, provider, mailbox_provider)
);
comment on table report.delivery_latency_daily is 'How long messages took from the first event of any gateway to the first delivery, and to the first open by a person; by the day they were sent. Percentiles are waits that there were, and are not to be added up or averaged.';
comment on column report.delivery_latency_daily.sent_day is 'Local day on which the message was handed over.';
comment on column report.delivery_latency_daily.account is 'Account (organisation).';
comment on column report.delivery_latency_daily.channel is 'email or sms; of calls no delivery is told.';
comment on column report.delivery_latency_daily.provider is 'Gateway that carried the message last, or (none).';
comment on column report.delivery_latency_daily.mailbox_provider is 'gmail, yahoo, microsoft, apple, other or (none), from the recipient''s domain.';
comment on column report.delivery_latency_daily.delivery_count is 'Messages that a delivery was told of (count), also where they bounced later.';
comment on column report.delivery_latency_daily.delivery_p50_seconds is 'Half of them were delivered within that time, in seconds; null where there is none.';
comment on column report.delivery_latency_daily.delivery_p90_seconds is 'Nine tenths of them were delivered within that time, in seconds.';
comment on column report.delivery_latency_daily.delivery_p99_seconds is '99 hundredths of them were delivered within that time, in seconds.';
comment on column report.delivery_latency_daily.human_open_count is 'Messages opened (opened events alone) by other than machines that the provider flags (count).';
comment on column report.delivery_latency_daily.human_open_p50_seconds is 'Half of them were opened so within that time, in seconds; null where there is none.';
comment on column report.delivery_latency_daily.human_open_p90_seconds is 'Nine tenths of them were opened so within that time, in seconds.';
comment on column report.delivery_latency_daily.human_open_p99_seconds is '99 hundredths of them were opened so within that time, in seconds.';

grant select, insert, update, delete on report.delivery_latency_daily to waybill_reporter;
grant select on report.delivery_latency_daily to waybill_bi_reader, waybill_support_reader;
