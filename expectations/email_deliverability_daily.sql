-- suite: email_deliverability_daily
-- about: the rows that a build will publish in report.email_deliverability_daily

-- rule: bounced_is_hard_and_soft
-- severity: critical
-- description: bounced_count = hard_bounce_count + soft_bounce_count.
-- expect: every row
bounced_count = hard_bounce_count + soft_bounce_count

-- rule: deliveries_match_events
-- severity: critical
-- description: First deliveries of each day equal those in the events (in full builds).
-- expect: control counts of a full build
delivered_count as delivered_email_leg
