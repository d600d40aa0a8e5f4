-- suite: campaign_daily
-- about: the rows that a build will publish in report.campaign_daily

-- rule: parts_sum_to_targeted
-- severity: critical
-- description: targeted = sent + not_sent + in_progress.
-- expect: every row
targeted = sent + not_sent + in_progress

-- rule: parts_sum_to_sent
-- severity: critical
-- description: sent = delivered + bounced_hard + bounced_soft + not_delivered + in_gateway.
-- expect: every row
sent = delivered + bounced_hard + bounced_soft + not_delivered + in_gateway

-- rule: categories_sum_to_not_sent
-- severity: critical
-- description: The four categories add up to not_sent.
-- expect: every row
not_sent
= not_sent_internally_suppressed + not_sent_incomplete_or_invalid + not_sent_system_error + not_sent_other

-- rule: parts_within_totals
-- severity: critical
-- description: clicked ≤ opened ≤ delivered, and the other parts are at most their totals.
-- expect: every row
clicked <= opened
and opened <= delivered
and opened_human <= opened
and clicked_human <= clicked
and clicked_human <= opened_human
and spam_reported <= delivered
and unsubscribed <= sent

-- rule: sent_matches_reports
-- severity: critical
-- description: In each row, sent and delivered equal those of email_campaign, sms_activity_daily and
--     ivr_activity_daily.
-- expect: no row
select targeted_day, account, channel, campaign_id
from (
    select targeted_day, account, channel, campaign_id, sent, delivered
    from {batch}
    union all
    select sent_day, account, 'email', campaign_id, -sent, -delivered
    from {email_campaign}
    union all
    select sent_day, account, 'sms', campaign_id, -sent, -delivered
    from {sms_activity_daily}
    union all
    select sent_day, account, 'ivr', campaign_id, -sent, -completed
    from {ivr_activity_daily}
) as all_reports
group by targeted_day, account, channel, campaign_id
having sum(sent) <> 0 or sum(delivered) <> 0

-- rule: targeted_matches_facts
-- severity: critical
-- description: Messages of each channel equal those in the facts (in full builds).
-- expect: no row
select measure
from (
    select channel || '_targeted' as measure, sum(targeted) as found
    from {batch}
    group by channel
) as report
full join (
    select measure, sum(expected) as expected
    from {control}
    where measure in ('email_targeted', 'sms_targeted', 'ivr_targeted')
    group by measure
) as control using (measure)
where
    exists (select 1 from {control} where measure = 'recounted')
    and coalesce(found, 0) <> coalesce(expected, 0)
