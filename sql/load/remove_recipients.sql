-- Removes clear addresses without any event. Only a replay does this, and rarely, because it reads all events.
-- reads: recipient_left
delete from private.recipient as r
using recipient_left as l
where
    l.recipient_key = r.recipient_key
    and not exists (select from fact.event as e where e.recipient_key = l.recipient_key);
