-- suite: email_link
-- about: the rows that a build will publish in report.email_link

-- rule: clicks_counted
-- severity: critical
-- description: Every row counts a message in which the link was clicked; counts are not negative.
-- expect: every row
-- instead of: counts_not_negative, not_all_zero
unique_click_count > 0 and unique_human_click_count >= 0

-- rule: parts_within_totals
-- severity: critical
-- description: Messages clicked by people are at most all clicked messages, which are at most all clicks.
-- expect: every row
unique_human_click_count <= unique_click_count and unique_click_count <= click_count

-- rule: url_without_query
-- severity: critical
-- description: A link is not empty, has neither query nor fragment, and at most 500 characters.
-- expect: every row
url <> '' and url !~ '[?#]' and char_length(url) <= 500

-- rule: messages_match_campaign
-- severity: critical
-- description: No link was clicked in more messages than email_campaign shows as clicked; and each clicked message has
--     a clicked link or an unsubscribe.
-- expect: no row
select sent_day, account, campaign_id
from (
    select
        sent_day,
        account,
        campaign_id,
        max(unique_click_count) as most,
        max(unique_human_click_count) as most_human,
        sum(unique_click_count) as together,
        sum(unique_human_click_count) as together_human
    from {batch}
    group by sent_day, account, campaign_id
) as link
full join (
    select
        sent_day,
        account,
        campaign_id,
        sum(clicked) as clicked,
        sum(clicked_human) as clicked_human,
        sum(unsubscribed) as unsubscribed
    from {email_campaign}
    group by sent_day, account, campaign_id
) as campaign using (sent_day, account, campaign_id)
where
    coalesce(most, 0) > coalesce(clicked, 0)
    or coalesce(most_human, 0) > coalesce(clicked_human, 0)
    or coalesce(together, 0) < coalesce(clicked - unsubscribed, 0)
    or coalesce(together_human, 0) < coalesce(clicked_human - unsubscribed, 0)

-- rule: clicks_match_events
-- severity: critical
-- description: Clicks equal those in the events, without clicks in copies that decide nothing (in full builds).
-- expect: no row
select found, expected
from (
    select coalesce(sum(click_count), 0) as found
    from {batch}
) as report
cross join (
    select coalesce(sum(expected), 0) as expected
    from {control}
    where measure = 'clicked_of_message'
) as control
where found <> expected and exists (select 1 from {control} where measure = 'recounted')
