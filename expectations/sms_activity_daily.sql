-- suite: sms_activity_daily
-- about: the rows that a build will publish in report.sms_activity_daily

-- rule: parts_sum_to_sent
-- severity: critical
-- description: sent = delivered + undelivered + in_gateway.
-- expect: every row
sent = delivered + undelivered + in_gateway

-- rule: sent_matches_facts
-- severity: critical
-- description: Messages sent on each day equal those in the facts.
-- expect: control counts
sent as sms_sent
