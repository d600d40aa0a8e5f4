-- suite: email_campaign
-- about: the rows that a build will publish in report.email_campaign

-- rule: parts_sum_to_sent
-- severity: critical
-- description: sent = delivered + bounced_hard + bounced_soft + not_delivered + in_gateway.
-- expect: every row
sent = delivered + bounced_hard + bounced_soft + not_delivered + in_gateway

-- rule: parts_within_totals
-- severity: critical
-- description: clicked ≤ opened ≤ delivered, and the other parts are at most their totals.
-- expect: every row
blocked <= bounced_soft
and invalid <= bounced_hard
and clicked <= opened
and opened <= delivered
and opened_human <= opened
and clicked_human <= clicked
and clicked_human <= opened_human
and spam_reported <= delivered
and unsubscribed <= clicked

-- rule: rates_where_defined
-- severity: critical
-- description: A rate is null exactly if its denominator is 0.
-- expect: every row
delivery_rate is not null
and bounce_rate is not null
and (open_rate is null) = (delivered = 0)
and (click_rate is null) = (delivered = 0)
and (spam_rate is null) = (delivered = 0)
and (unsubscribe_rate is null) = (delivered = 0)
and (click_to_open_rate is null) = (opened = 0)

-- rule: sent_matches_facts
-- severity: critical
-- description: Messages sent on each day equal those in the facts.
-- expect: control counts
sent as email_sent
