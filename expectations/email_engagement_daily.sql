-- suite: email_engagement_daily
-- about: the rows that a build will publish in report.email_engagement_daily

-- rule: parts_within_totals
-- severity: critical
-- description: Opens and clicks by machines and suspected machines, which exclude each other, and by unique emails are
--     at most all opens and clicks.
-- expect: every row
machine_open_count + suspected_machine_open_count <= open_count
and machine_click_count + suspected_machine_click_count <= click_count
and unique_open_count <= open_count
and unique_human_open_count <= open_count - machine_open_count
and unique_click_count <= click_count

-- rule: events_match_facts
-- severity: critical
-- description: Opens, clicks and unsubscribes of each day equal those in the facts.
-- expect: control counts
open_count as opened,
click_count as clicked,
unsubscribe_count as unsubscribed
