-- What providers say about the accounts themselves: a suspended account is news, and no message.
create table ops.account_notice (
    account text not null,
    feed text not null,
    word text not null,
    detail text,
    noticed_at timestamptz not null,
    primary key (account, feed, word)
);
comment on table ops.account_notice is 'The latest of each word that a provider has for the account itself; such records tell no event and are counted as ignored.';
comment on column ops.account_notice.account is 'Account of the feed.';
comment on column ops.account_notice.feed is 'Feed slug.';
comment on column ops.account_notice.word is 'Event word of the provider, such as account_status_change.';
comment on column ops.account_notice.detail is 'What happened to the account, in the words of the provider; null where it does not say.';
comment on column ops.account_notice.noticed_at is 'When it happened, by the provider (UTC).';

grant select, insert, update on ops.account_notice to waybill_loader;
grant select on ops.account_notice to waybill_reporter;
