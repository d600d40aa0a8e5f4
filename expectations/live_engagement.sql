-- suite: live_engagement
-- about: what live monitoring shows as opened and clicked after a build, as of its snapshot

-- rule: parts_within_totals
-- severity: critical
-- description: clicked ≤ opened ≤ delivered.
-- expect: every row
clicked <= opened and opened <= delivered

-- rule: deliveries_match_live_count
-- severity: critical
-- description: Delivered messages, added up build by build, are those that loads have added up, row by row.
-- expect: no row
select account, campaign_id, channel
from (
    select account, campaign_id, channel, delivered as difference
    from {batch}
    union all
    select account, campaign_id, channel, -delivered
    from {live_count}
) as both_tables
group by account, campaign_id, channel
having sum(difference) <> 0
