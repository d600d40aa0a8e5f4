-- suite: ivr_activity_daily
-- about: the rows that a build will publish in report.ivr_activity_daily

-- rule: parts_sum_to_sent
-- severity: critical
-- description: sent = completed + no_answer + failed + in_gateway.
-- expect: every row
sent = completed + no_answer + failed + in_gateway

-- rule: parts_within_totals
-- severity: critical
-- description: Busy, canceled, human and machine are at most their totals.
-- expect: every row
busy <= no_answer and canceled <= failed and human + machine <= sent

-- rule: sent_matches_facts
-- severity: critical
-- description: Calls placed on each day equal those in the facts.
-- expect: control counts
sent as ivr_sent
