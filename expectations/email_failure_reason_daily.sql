-- suite: email_failure_reason_daily
-- about: the rows that a build will publish in report.email_failure_reason_daily

-- rule: legs_counted
-- severity: critical
-- description: Every row counts at least one email.
-- expect: every row
-- instead of: counts_not_negative, not_all_zero
leg_count > 0

-- rule: words_known
-- severity: critical
-- description: Classes and reasons are words of the vocabulary.
-- expect: every row
failure_class in ('invalid', 'hard_bounce', 'soft_bounce', 'blocked', 'gateway_suppressed', 'unknown')
and failure_reason in (
    'address_malformed', 'address_not_found', 'domain_not_found', 'address_inactive', 'mailbox_full',
    'message_too_large', 'server_unavailable', 'connection_failed', 'dns_failure', 'timed_out', 'rate_limited',
    'ip_blocked', 'domain_blocked', 'content_rejected', 'authentication_failed', 'policy_rejected', 'relay_denied',
    'carrier_filtered', 'recipient_blocked', 'number_not_mobile', 'handset_unreachable', 'carrier_congested', 'expired',
    'account_suspended', 'price_limit', 'region_not_permitted', 'prior_bounce', 'prior_unsubscribe',
    'prior_spam_report', 'quota_exceeded', 'invalid_request', 'unclassified'
)

-- rule: reasons_match_deliverability
-- severity: critical
-- description: In each row, the reasons of a class add up to its count in email_deliverability_daily.
-- expect: no row
select event_day, account, provider, campaign_id, mailbox_provider, failure_class
from (
    select
        event_day,
        account,
        provider,
        campaign_id,
        mailbox_provider,
        failure_class,
        leg_count as difference
    from {batch}
    union all
    select
        event_day,
        account,
        provider,
        campaign_id,
        mailbox_provider,
        counted.failure_class,
        -counted.leg_count
    from {email_deliverability_daily}
    cross join lateral (
        values
            ('hard_bounce', hard_bounce_count),
            ('soft_bounce', soft_bounce_count),
            ('blocked', blocked_count),
            ('invalid', invalid_count),
            ('gateway_suppressed', gateway_suppressed_count),
            ('unknown', unclassified_count)
    ) as counted (failure_class, leg_count)
) as both_reports
group by event_day, account, provider, campaign_id, mailbox_provider, failure_class
having sum(difference) <> 0

-- rule: failures_match_events
-- severity: critical
-- description: Latest failures of each day equal those in the events (in full builds).
-- expect: control counts of a full build
leg_count as failed_email_leg
