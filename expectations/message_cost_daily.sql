-- suite: message_cost_daily
-- about: what a build is going to publish in report.message_cost_daily

-- rule: legs_counted
-- severity: critical
-- description: Every row counts at least one leg; unpriced legs have no row.
-- expect: every row
-- instead of: counts_not_negative, not_all_zero
priced_leg_count > 0

-- rule: cost_present
-- severity: critical
-- description: Every row has a cost that is a number.
-- expect: every row
cost is not null and cost <> 'NaN'

-- rule: prices_match_events
-- severity: critical
-- description: What has a price is what has one in the events (where everything is built).
-- expect: control counts of a full build
priced_leg_count as priced_leg
