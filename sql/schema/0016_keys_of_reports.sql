-- What the keys of reports hold of long texts.
comment on column report.email_link.url is 'The link, cut at its first ? or #, addresses redacted, and at most 500 characters of it; of more than 1,500 bytes its beginning and a digest; (none) where the provider names none.';
