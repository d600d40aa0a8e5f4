-- Which links of a campaign were followed.
create table report.email_link (
    sent_day date not null,
    account text collate "C" not null,
    campaign_id text collate "C" not null,
    url text collate "C" not null,
    click_count bigint not null,
    unique_click_count bigint not null,
    unique_human_click_count bigint not null,
    primary key (sent_day, account, campaign_id, url)
);
comment on table report.email_link is 'Links of the emails that were sent on a day, and the clicks on them since. Clicks are clicked events alone: who unsubscribed without one counts as clicked in report.email_campaign only.';
comment on column report.email_link.sent_day is 'Local day on which the message was handed over.';
comment on column report.email_link.account is 'Account (organisation).';
comment on column report.email_link.campaign_id is 'Campaign, or (none).';
comment on column report.email_link.url is 'The link, cut at its first ? or #, addresses redacted, and at most 500 characters of it; (none) where the provider names none.';
comment on column report.email_link.click_count is 'Clicked events (count), machines included.';
comment on column report.email_link.unique_click_count is 'Messages in which the link was clicked (count).';
comment on column report.email_link.unique_human_click_count is 'Of them, clicked by other than machines that the provider flags (count).';

grant select, insert, update, delete on report.email_link to waybill_reporter;
grant select on report.email_link to waybill_bi_reader, waybill_support_reader;
