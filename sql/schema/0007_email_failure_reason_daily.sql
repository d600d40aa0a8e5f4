-- Why emails failed: the failed legs of report.email_deliverability_daily, by class and reason.
create table report.email_failure_reason_daily (
    event_day date not null,
    account text collate "C" not null,
    provider text collate "C" not null,
    campaign_id text collate "C" not null,
    mailbox_provider text collate "C" not null,
    failure_class text collate "C" not null,
    failure_reason text collate "C" not null,
    leg_count bigint not null,
    primary key (event_day, account, provider, campaign_id, mailbox_provider, failure_class, failure_reason)
);
comment on table report.email_failure_reason_daily is 'Why emails failed: those that report.email_deliverability_daily counts in a failure class, each once, on the day and by the reason of its latest failure. Of each class the reasons add up to that report''s count.';
comment on column report.email_failure_reason_daily.event_day is 'Local day of the latest failure.';
comment on column report.email_failure_reason_daily.account is 'Account (organisation).';
comment on column report.email_failure_reason_daily.provider is 'Gateway that carried the email.';
comment on column report.email_failure_reason_daily.campaign_id is 'Campaign of the message, or (none).';
comment on column report.email_failure_reason_daily.mailbox_provider is 'gmail, yahoo, microsoft, apple, other or (none), from the recipient''s domain.';
comment on column report.email_failure_reason_daily.failure_class is 'invalid, hard_bounce, soft_bounce, blocked, gateway_suppressed or unknown (unclassified_count in report.email_deliverability_daily).';
comment on column report.email_failure_reason_daily.failure_reason is 'The finer reason, a word of section 4 of the design; unclassified where no rule fits.';
comment on column report.email_failure_reason_daily.leg_count is 'Emails (count); one that two gateways carried counts once for each.';

grant select, insert, update, delete on report.email_failure_reason_daily to waybill_reporter;
grant select on report.email_failure_reason_daily to waybill_bi_reader, waybill_support_reader;
