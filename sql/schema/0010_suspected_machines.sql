-- Opens and clicks that a machine probably made, beside those that the provider says one made.
alter table report.email_engagement_daily
    add column suspected_machine_open_count bigint not null default 0,
    add column suspected_machine_click_count bigint not null default 0;
alter table report.email_engagement_daily
    alter column suspected_machine_open_count drop default,
    alter column suspected_machine_click_count drop default;
comment on column report.email_engagement_daily.suspected_machine_open_count is 'Opened events that the provider does not flag as a machine''s, and whose user agent is one (count): part of open_count, none of machine_open_count. They stay in every human column.';
comment on column report.email_engagement_daily.suspected_machine_click_count is 'Clicked events that the provider does not flag as a machine''s, and whose user agent is one (count): part of click_count, none of machine_click_count. They stay in every human column.';
comment on column fact.event.machine_rule is 'Of opened and clicked: the rule by which the user agent is a machine''s (a suspicion; is_machine is what the provider says). Null: no rule fits. Changes no human count.';

-- Events that are there have no rule until their range is replayed. What a replay finds the next build shows; what is
-- there already waits for it too, in the name of the last load.
insert into ops.changed_day (load_id, day)
select newest.load_id, counted.day
from (select max(load_id) as load_id from ops.load where status = 'published') as newest
cross join (
    select event_day as day from report.email_engagement_daily group by event_day
) as counted
where newest.load_id is not null
on conflict do nothing;
