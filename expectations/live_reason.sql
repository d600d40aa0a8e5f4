-- suite: live_reason
-- about: the reasons of unsent messages of each campaign after a build, as of its snapshot

-- rule: messages_counted
-- severity: critical
-- description: Every row counts at least one message.
-- expect: every row
-- instead of: counts_not_negative, not_all_zero
message_count > 0

-- rule: words_known
-- severity: critical
-- description: Categories and reasons are words of the vocabulary, and each reason is in its category.
-- expect: every row
(
    category = 'internally_suppressed'
    and reason in (
        'unsubscribed', 'ndnc', 'out_of_credit', 'frequency_capped', 'organisation_disabled', 'configuration_issue',
        'repeatedly_bounced'
    )
)
or (
    category = 'incomplete_or_invalid'
    and reason in (
        'email_missing', 'mobile_missing', 'mobile_invalid', 'not_in_loyalty_program', 'coupon_configuration_issue',
        'coupon_expired', 'coupon_id_missing', 'coupon_date_invalid', 'coupon_redeemed', 'data_missing',
        'gateway_configuration_issue'
    )
)
or (
    category = 'system_error'
    and reason in (
        'system_timeout', 'handler_not_found', 'coupon_issue_error', 'referral_service_error',
        'subscription_service_error'
    )
)
or (category = 'other' and reason in ('unclassified'))

-- rule: reasons_match_not_sent
-- severity: critical
-- description: In each row, the reasons of a category add up to its count in live_count.
-- expect: no row
select account, campaign_id, channel, category
from (
    select account, campaign_id, channel, category, message_count as difference
    from {batch}
    union all
    select live.account, live.campaign_id, live.channel, counted.category, -counted.expected
    from {live_count} as live
    cross join lateral (
        values
            ('internally_suppressed', live.not_sent_internally_suppressed),
            ('incomplete_or_invalid', live.not_sent_incomplete_or_invalid),
            ('system_error', live.not_sent_system_error),
            ('other', live.not_sent_other)
    ) as counted (category, expected)
) as both_tables
group by account, campaign_id, channel, category
having sum(difference) <> 0
