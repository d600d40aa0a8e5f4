-- suite: message_cost_daily
-- about: the rows that a build will publish in report.message_cost_daily

-- rule: legs_counted
-- severity: critical
-- description: Every row counts at least one leg; legs without a price have no row.
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
-- description: Legs with a price equal those in the events (in full builds).
-- expect: control counts of a full build
priced_leg_count as priced_leg
