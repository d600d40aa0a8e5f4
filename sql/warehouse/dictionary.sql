-- Every column of some schemas, with its comment and those of its table and schema; for the data dictionary.
-- params: schemas (in the order of their readers)
select
    n.nspname as schema,
    obj_description(n.oid, 'pg_namespace') as schema_comment,
    c.relname as relation,
    case c.relkind when 'v' then 'view' else 'table' end as kind,
    obj_description(c.oid, 'pg_class') as relation_comment,
    a.attname as name,
    format_type(a.atttypid, a.atttypmod) as type,
    c.relkind <> 'v' and not a.attnotnull as is_nullable,
    coalesce(a.attnum = any (k.conkey), false) as is_key,
    col_description(c.oid, a.attnum) as comment
from pg_class as c
inner join pg_namespace as n on n.oid = c.relnamespace
inner join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
left join pg_constraint as k on k.conrelid = c.oid and k.contype = 'p'
where n.nspname = any (%(schemas)s) and c.relkind in ('r', 'p', 'v') and not c.relispartition
order by array_position(%(schemas)s, n.nspname::text), c.relname collate "C", a.attnum
