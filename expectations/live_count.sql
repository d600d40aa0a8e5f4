-- suite: live_count
-- about: the counts of each campaign in live monitoring after a build, as of its snapshot

-- rule: messages_counted
-- severity: critical
-- description: Every row counts at least one message.
-- expect: every row
-- instead of: not_all_zero
targeted > 0

-- rule: words_known
-- severity: critical
-- description: Channels are words of the vocabulary.
-- expect: every row
channel in ('email', 'sms', 'ivr')

-- rule: parts_sum_to_targeted
-- severity: critical
-- description: targeted = sent + not_sent + in_progress_queued + in_progress_about_to_be_sent.
-- expect: every row
targeted = sent + not_sent + in_progress_queued + in_progress_about_to_be_sent

-- rule: parts_sum_to_sent
-- severity: critical
-- description: sent = delivered + bounced_hard + bounced_soft + not_delivered + in_gateway.
-- expect: every row
sent = delivered + bounced_hard + bounced_soft + not_delivered + in_gateway

-- rule: parts_sum_to_not_sent
-- severity: critical
-- description: The four categories add up to not_sent.
-- expect: every row
not_sent = not_sent_internally_suppressed + not_sent_incomplete_or_invalid + not_sent_system_error + not_sent_other

-- rule: parts_within_totals
-- severity: critical
-- description: marked_spam ≤ delivered and marked_unsubscribed ≤ sent.
-- expect: every row
marked_spam <= delivered and marked_unsubscribed <= sent

-- rule: messages_match_facts
-- severity: critical
-- description: Messages of each channel, and those with an event of the gateway, equal those in the facts (in full
--     builds).
-- expect: no row
select measure
from (
    select counted.measure, sum(counted.found) as found
    from {batch}
    cross join lateral (
        values (channel || '_targeted', targeted), (channel || '_sent', sent)
    ) as counted (measure, found)
    group by counted.measure
) as report
full join (
    select measure, sum(expected) as expected
    from {control}
    where measure in ('email_targeted', 'email_sent', 'sms_targeted', 'sms_sent', 'ivr_targeted', 'ivr_sent')
    group by measure
) as control using (measure)
where
    exists (select 1 from {control} where measure = 'recounted')
    and coalesce(found, 0) <> coalesce(expected, 0)
