-- A clear address goes with the last event that is about it. Rare, and only in a replay: reads all events.
-- reads: recipient_left
delete from private.recipient as r
using recipient_left as l
where
    l.recipient_key = r.recipient_key
    and not exists (select from fact.event as e where e.recipient_key = l.recipient_key);
