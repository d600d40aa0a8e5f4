-- Which other sessions hold a lock, by the name of their program.

-- name: holders_of_keys
-- The holders of an advisory lock.
-- params: space, name (of the lock)
select a.application_name, a.pid
from pg_locks as l
inner join pg_stat_activity as a on a.pid = l.pid
where
    l.granted
    and l.pid <> pg_backend_pid()
    and l.database = (select oid from pg_database where datname = current_database())
    and l.locktype = 'advisory'
    and l.classid::bigint = hashtext(%(space)s)::bigint & 4294967295
    and l.objid::bigint = hashtext(%(name)s)::bigint & 4294967295
order by a.pid;

-- name: holders_of_relations
-- The sessions that write to a table which a text names, or change it.
-- params: context (what Postgres says of a statement that waited)
select a.application_name, a.pid
from pg_locks as l
inner join pg_stat_activity as a on a.pid = l.pid
where
    l.granted
    and l.pid <> pg_backend_pid()
    and l.database = (select oid from pg_database where datname = current_database())
    and l.locktype = 'relation'
    and l.mode not in ('AccessShareLock', 'RowShareLock')
    and l.relation in (
        select c.oid
        from pg_class as c
        inner join pg_namespace as n on n.oid = c.relnamespace
        where
            n.nspname in ('ops', 'private', 'fact', 'staging')
            and position(quote_ident(c.relname) in %(context)s) > 0
    )
order by a.pid
