-- The message of each leg, where it does not follow from the leg alone: it depends on the recipients that the dispatch
-- log names for a dispatch id, and on the other legs with the same Message-ID of the sender. See docs/model.md.
-- Corrects message_key and is_copy in leg_after, and creates moved_leg: legs without an event in this load whose
-- message changes, because a recipient or a Message-ID was added or removed.
-- reads: touched_leg, leg_after, fact.leg (before this load)

-- Legs that no longer exist; only recomputed legs can disappear.
create temporary table gone_leg on commit drop as
select l.leg_key, l.account, l.channel, l.provider, l.own_dispatch_id, l.recipient_key, l.own_leg_key
from touched_leg as t
inner join fact.leg as l on l.leg_key = t.leg_key
where t.is_recomputed and not exists (select from leg_after as a where a.leg_key = t.leg_key);

analyze gone_leg;

create temporary table touched_intended on commit drop as
select a.account, a.channel, a.own_dispatch_id as dispatch_id, a.recipient_key, l.leg_key is null as is_new
from leg_after as a
left join fact.leg as l on l.leg_key = a.leg_key
where a.provider = 'dispatch' and a.recipient_key is not null;

create index on touched_intended (dispatch_id, account, channel, recipient_key);
analyze touched_intended;

-- The recipients that the dispatch log names, with this load. A dispatch id may have very many of them, so queries ask
-- for one recipient or for the least.
create temporary view intended_recipient as
select account, channel, dispatch_id, recipient_key
from touched_intended
union all
select l.account, l.channel, l.own_dispatch_id, l.recipient_key
from fact.leg as l
where
    l.provider = 'dispatch'
    and l.recipient_key is not null
    and not exists (select from gone_leg as g where g.leg_key = l.leg_key);

-- If a recipient is added or removed, only legs of these messages can move: the message of the dispatch id, which is
-- that of the least recipient; those of removed recipients; and that of the recipient who is the least since then.
create temporary table changed_message on commit drop as
with
gone_recipient as (
    select account, channel, own_dispatch_id as dispatch_id, recipient_key
    from gone_leg
    where provider = 'dispatch' and recipient_key is not null
),

now_least as (
    select
        g.account,
        g.channel,
        g.dispatch_id,
        (
            select i.recipient_key
            from intended_recipient as i
            where i.dispatch_id = g.dispatch_id and i.account = g.account and i.channel = g.channel
            order by i.recipient_key
            limit 1
        ) as recipient_key
    from gone_recipient as g
    group by g.account, g.channel, g.dispatch_id
)

select fact.message_key(account, channel, dispatch_id) as message_key from touched_intended where is_new
union
select fact.message_key(account, channel, dispatch_id) from gone_recipient
union
select fact.recipient_message_key(account, channel, dispatch_id, recipient_key) from gone_recipient
union
select fact.recipient_message_key(account, channel, dispatch_id, recipient_key)
from now_least
where recipient_key is not null;

analyze changed_message;

create temporary table candidate on commit drop as
select
    leg_key,
    account,
    channel,
    provider,
    recipient_key,
    own_leg_key,
    least(own_dispatch_id, named_dispatch_id) as dispatch_id,
    false as is_stored
from leg_after
where event_count > 0
union all
select
    l.leg_key,
    l.account,
    l.channel,
    l.provider,
    l.recipient_key,
    l.own_leg_key,
    least(l.own_dispatch_id, l.named_dispatch_id),
    true
from changed_message as m
inner join fact.leg as l on l.message_key = m.message_key
where not exists (select from touched_leg as t where t.leg_key = l.leg_key);

create index on candidate (leg_key);
analyze candidate;

-- Legs that are known only by the sender's Message-ID belong to the message of the leg that has this Message-ID. If no
-- leg has it any more, they become a message of their own again.
insert into candidate
with
carried as (
    select own_leg_key from candidate where own_leg_key <> leg_key
    union
    select l.own_leg_key
    from leg_after as a
    inner join fact.leg as l on l.leg_key = a.leg_key
    where a.own_leg_key <> l.own_leg_key
    union
    select l.own_leg_key
    from touched_leg as t
    inner join fact.leg as l on l.leg_key = t.leg_key
    where t.is_recomputed
)

select
    l.leg_key,
    l.account,
    l.channel,
    l.provider,
    l.recipient_key,
    l.own_leg_key,
    least(l.own_dispatch_id, l.named_dispatch_id),
    true
from carried as c
inner join fact.leg as l on l.leg_key = c.own_leg_key
where
    l.event_count > 0
    and not exists (select from touched_leg as t where t.leg_key = l.leg_key)
    and not exists (select from candidate as k where k.leg_key = l.leg_key);

analyze candidate;

create temporary table joined_leg on commit drop as
with
dispatch_group as (
    select
        c.account,
        c.channel,
        c.dispatch_id,
        fact.message_key(c.account, c.channel, c.dispatch_id) as message_key,
        (
            select i.recipient_key
            from intended_recipient as i
            where i.dispatch_id = c.dispatch_id and i.account = c.account and i.channel = c.channel
            order by i.recipient_key
            limit 1
        ) as least_recipient
    from candidate as c
    where c.dispatch_id is not null
    group by c.account, c.channel, c.dispatch_id
),

placed as (
    select
        c.leg_key,
        c.own_leg_key,
        c.is_stored,
        c.account,
        c.channel,
        c.dispatch_id,
        c.recipient_key,
        g.message_key,
        g.least_recipient,
        case
            when c.provider = 'dispatch' or c.recipient_key is null or g.least_recipient is null then false
            when c.recipient_key = g.least_recipient then false
            else
                (
                    select i.recipient_key
                    from intended_recipient as i
                    where
                        i.dispatch_id = c.dispatch_id
                        and i.account = c.account
                        and i.channel = c.channel
                        and i.recipient_key = c.recipient_key
                    limit 1
                ) is null
        end as is_copy
    from candidate as c
    left join dispatch_group as g
        on g.account = c.account and g.channel = c.channel and g.dispatch_id = c.dispatch_id
)

select
    leg_key,
    own_leg_key,
    is_stored,
    case
        when message_key is null then leg_key
        when not is_copy and recipient_key <> least_recipient then
            fact.recipient_message_key(account, channel, dispatch_id, recipient_key)
        else message_key
    end as message_key,
    is_copy
from placed;

create unique index on joined_leg (leg_key);
create index on joined_leg (own_leg_key) where own_leg_key is not null;
analyze joined_leg;

-- The least of several legs with the same Message-ID.
with
carrier as (
    select o.leg_key as own_leg_key, j.leg_key, j.message_key, j.is_copy
    from joined_leg as o
    inner join joined_leg as j on j.own_leg_key = o.leg_key and j.leg_key <> o.leg_key
    where o.own_leg_key = o.leg_key
    union all
    select o.leg_key, l.leg_key, l.message_key, l.is_copy
    from joined_leg as o
    inner join fact.leg as l on l.own_leg_key = o.leg_key and l.leg_key <> o.leg_key
    where
        o.own_leg_key = o.leg_key
        and l.event_count > 0
        and not exists (select from touched_leg as t where t.leg_key = l.leg_key)
        and not exists (select from joined_leg as k where k.leg_key = l.leg_key)
),

chosen as (
    select distinct on (own_leg_key) own_leg_key, message_key, is_copy
    from carrier
    order by own_leg_key, leg_key
)

update joined_leg as j
set message_key = c.message_key, is_copy = c.is_copy
from chosen as c
where c.own_leg_key = j.leg_key;

update leg_after as a
set message_key = j.message_key, is_copy = j.is_copy
from joined_leg as j
where
    j.leg_key = a.leg_key
    and not j.is_stored
    and (a.message_key, a.is_copy) is distinct from (j.message_key, j.is_copy);

create temporary table moved_leg on commit drop as
select j.leg_key, j.message_key, j.is_copy, l.message_key as old_message_key
from joined_leg as j
inner join fact.leg as l on l.leg_key = j.leg_key
where j.is_stored and (l.message_key, l.is_copy) is distinct from (j.message_key, j.is_copy);

analyze leg_after (leg_key, message_key);
