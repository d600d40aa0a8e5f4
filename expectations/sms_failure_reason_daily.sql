-- suite: sms_failure_reason_daily
-- about: the rows that a build will publish in report.sms_failure_reason_daily

-- rule: messages_counted
-- severity: critical
-- description: Every row counts at least one message.
-- expect: every row
-- instead of: counts_not_negative, not_all_zero
message_count > 0

-- rule: words_known
-- severity: critical
-- description: Classes and reasons are words of the vocabulary, or (none) without a failure.
-- expect: every row
failure_class in ('invalid', 'hard_bounce', 'soft_bounce', 'blocked', 'gateway_suppressed', 'unknown', '(none)')
and failure_reason in (
    'address_malformed', 'address_not_found', 'domain_not_found', 'address_inactive', 'mailbox_full',
    'message_too_large', 'server_unavailable', 'connection_failed', 'dns_failure', 'timed_out', 'rate_limited',
    'ip_blocked', 'domain_blocked', 'content_rejected', 'authentication_failed', 'policy_rejected', 'relay_denied',
    'carrier_filtered', 'recipient_blocked', 'number_not_mobile', 'handset_unreachable', 'carrier_congested', 'expired',
    'account_suspended', 'price_limit', 'region_not_permitted', 'prior_bounce', 'prior_unsubscribe',
    'prior_spam_report', 'quota_exceeded', 'invalid_request', 'unclassified',
    '(none)'
)
and (failure_class = '(none)') = (failure_reason = '(none)')

-- rule: messages_match_undelivered
-- severity: critical
-- description: In each row, the messages of all reasons add up to undelivered in sms_activity_daily.
-- expect: no row
select sent_day, account, provider, campaign_id, country
from (
    select sent_day, account, provider, campaign_id, country, message_count as difference
    from {batch}
    union all
    select sent_day, account, provider, campaign_id, country, -undelivered
    from {sms_activity_daily}
) as both_reports
group by sent_day, account, provider, campaign_id, country
having sum(difference) <> 0

-- rule: bounced_match_facts
-- severity: critical
-- description: Messages of the four classes that mean bounced equal the bounced messages in the facts.
-- expect: control counts
case
    when failure_class in ('invalid', 'hard_bounce', 'soft_bounce', 'blocked') then message_count
    else 0
end as sms_bounced
