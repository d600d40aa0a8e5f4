-- suite: event_staging
-- about: the events that a load will publish, one row for each event that its records report
-- {texts}, {ids}, {trees}: all columns that may contain texts of a provider, by what they hold (Holds)

-- rule: event_key_present
-- severity: critical
-- description: Every event has event_key.
-- expect: every row
event_key is not null

-- rule: event_at_present
-- severity: critical
-- description: Every event has event_at.
-- expect: every row
event_at is not null

-- rule: provider_present
-- severity: critical
-- description: Every event has provider.
-- expect: every row
provider is not null

-- rule: feed_present
-- severity: critical
-- description: Every event has feed.
-- expect: every row
feed is not null

-- rule: account_present
-- severity: critical
-- description: Every event has account.
-- expect: every row
account is not null

-- rule: channel_known
-- severity: critical
-- description: The channel is email, sms or ivr.
-- expect: every row
channel in ('email', 'sms', 'ivr')

-- rule: event_type_known
-- severity: critical
-- description: The event type is in the vocabulary.
-- expect: every row
event_type in (
    'queued', 'scheduled', 'suppressed', 'handed_over', 'processed', 'sent', 'deferred', 'delivered', 'bounced',
    'dropped', 'undelivered', 'opened', 'clicked', 'spam_reported', 'unsubscribed', 'resubscribed', 'ringing',
    'answered', 'completed', 'no_answer', 'busy', 'failed', 'canceled', 'unknown'
)

-- rule: event_type_on_its_channel
-- severity: critical
-- description: The event type can occur on its channel.
-- expect: every row
(
    case channel
        when 'email' then event_type not in (
            'sent', 'undelivered', 'ringing', 'answered', 'completed', 'no_answer', 'busy', 'failed', 'canceled'
        )
        when 'sms' then event_type not in (
            'deferred', 'bounced', 'clicked', 'spam_reported', 'ringing', 'answered', 'completed', 'no_answer', 'busy',
            'failed'
        )
        when 'ivr' then event_type not in (
            'sent', 'deferred', 'delivered', 'bounced', 'dropped', 'undelivered', 'opened', 'clicked', 'spam_reported',
            'unsubscribed', 'resubscribed'
        )
    end
) is not false

-- rule: failure_class_where_failed
-- severity: critical
-- description: Failures, and only failures, have a failure class.
-- expect: every row
(failure_class is not null) = coalesce(event_type in ('bounced', 'dropped', 'undelivered', 'failed'), false)

-- rule: failure_class_known
-- severity: critical
-- description: The failure class is in the vocabulary.
-- expect: every row
failure_class is null
or failure_class in ('invalid', 'hard_bounce', 'soft_bounce', 'blocked', 'gateway_suppressed', 'unknown')

-- rule: failure_reason_where_failed
-- severity: critical
-- description: Failures, and only failures, have a failure reason.
-- expect: every row
(failure_reason is not null) = coalesce(event_type in ('bounced', 'dropped', 'undelivered', 'failed'), false)

-- rule: failure_reason_known
-- severity: critical
-- description: The failure reason is in the vocabulary.
-- expect: every row
failure_reason is null
or failure_reason in (
    'address_malformed', 'address_not_found', 'domain_not_found', 'address_inactive', 'mailbox_full',
    'message_too_large', 'server_unavailable', 'connection_failed', 'dns_failure', 'timed_out', 'rate_limited',
    'ip_blocked', 'domain_blocked', 'content_rejected', 'authentication_failed', 'policy_rejected', 'relay_denied',
    'carrier_filtered', 'recipient_blocked', 'number_not_mobile', 'handset_unreachable', 'carrier_congested', 'expired',
    'account_suspended', 'price_limit', 'region_not_permitted', 'prior_bounce', 'prior_unsubscribe',
    'prior_spam_report', 'quota_exceeded', 'invalid_request', 'unclassified'
)

-- rule: not_sent_category_where_suppressed
-- severity: critical
-- description: Suppressed events, and only these, have a Not Sent category.
-- expect: every row
(not_sent_category is not null) = coalesce(event_type = 'suppressed', false)

-- rule: not_sent_category_known
-- severity: critical
-- description: The Not Sent category is in the vocabulary.
-- expect: every row
not_sent_category is null
or not_sent_category in ('internally_suppressed', 'incomplete_or_invalid', 'system_error', 'other')

-- rule: event_at_in_range
-- severity: critical
-- description: The time of the event is in the years 2005 to 2100.
-- expect: every row
event_at is null or (event_at >= '2005-01-01 00:00:00+00' and event_at < '2101-01-01 00:00:00+00')

-- rule: campaign_source_known
-- severity: critical
-- description: A campaign has a known source, and a source has a campaign.
-- expect: every row
(campaign_id is null and campaign_source is null)
or (
    campaign_id is not null
    and campaign_source is not null
    and campaign_source in ('dispatch_log', 'custom_argument', 'provider', 'category')
)

-- rule: template_source_known
-- severity: critical
-- description: A template has a known source, and a source has a template.
-- expect: every row
(template_id is null and template_source is null)
or (
    template_id is not null
    and template_source is not null
    and template_source in ('dispatch_log', 'custom_argument', 'provider', 'category')
)

-- rule: no_address_in_texts
-- severity: critical
-- description: No text of the provider contains an email address, also not a percent-encoded one.
-- expect: every row
(concat_ws(' ', {texts}) not like '%@%' and concat_ws(' ', {texts}) not like '%\%%40%')
or concat_ws(' ', {texts}) !~ (
    '(?<!%)(?<!%[0-9A-Fa-f])(?<!%25[0-9A-Fa-f])(?<!%2525[0-9A-Fa-f])'
    '[A-Za-z0-9_.+-](@|%(25)*40)[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2}'
)

-- rule: no_address_in_ids
-- severity: critical
-- description: No id contains an email address, also not a percent-encoded one.
-- expect: every row
(concat_ws(' ', {ids}) not like '%@%' and concat_ws(' ', {ids}) not like '%\%%40%')
or concat_ws(' ', {ids}) !~ (
    '(?<!%)(?<!%[0-9A-Fa-f])(?<!%25[0-9A-Fa-f])'
    '[A-Za-z0-9_](?<![0-9a-f]{64})(@|%(25)?40)[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2}'
)

-- rule: no_address_in_tags
-- severity: critical
-- description: Neither tags nor extra contain an email address, also not a percent-encoded one.
-- expect: every row
concat_ws(' ', {trees}) !~ '[@%]'
or concat_ws(' ', {trees}) !~ (
    '(?<!%)(?<!%[0-9A-Fa-f])(?<!%25[0-9A-Fa-f])(?<!%2525[0-9A-Fa-f])(?<!\\)(?<!\\u[0-9a-f]{3})'
    '[A-Za-z0-9_.+-](@|%(25)*40)[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2}'
)

-- rule: recipient_key_length
-- severity: critical
-- description: A recipient_key has 32 bytes.
-- expect: every row
recipient_key is null or octet_length(recipient_key) = 32

-- rule: segments_not_negative
-- severity: critical
-- description: Segments are not negative.
-- expect: every row
segments is null or segments >= 0

-- rule: duration_not_negative
-- severity: critical
-- description: A duration is not negative.
-- expect: every row
duration_seconds is null or duration_seconds >= 0

-- rule: event_type_mapped
-- severity: warning
-- description: At least 99 % of the events have a provider word with a mapping.
-- expect: every row
-- mostly: 0.99
event_type is distinct from 'unknown'
