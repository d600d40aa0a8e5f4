-- suite: live_engagement
-- about: opened and clicked in live monitoring after a build, as of its snapshot

-- rule: parts_within_totals
-- severity: critical
-- description: clicked ≤ opened ≤ delivered.
-- expect: every row
clicked <= opened and opened <= delivered

-- rule: deliveries_match_live_count
-- severity: critical
-- description: In each row, the delivered messages that builds added up equal those that loads added up.
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
