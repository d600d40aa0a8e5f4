-- Comments named a document that their readers do not have. Now they name docs/model.md, which lists the words.
do $$
declare
    described record;
    plain text;
begin
    for described in
        select
            d.objoid::regclass as relation,
            c.relkind,
            a.attname,
            d.description
        from pg_catalog.pg_description as d
        inner join pg_catalog.pg_class as c on c.oid = d.objoid
        inner join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
        left join pg_catalog.pg_attribute as a on a.attrelid = d.objoid and a.attnum = d.objsubid and d.objsubid > 0
        where d.classoid = 'pg_catalog.pg_class'::regclass
            and n.nspname in ('fact', 'private', 'report')
            and d.description ~ 'section \d of the desig.'
    loop
        plain := regexp_replace(described.description, 'One of the 24 words of section 4 of the desig.', 'One of the 24 event types of docs/model.md');
        plain := regexp_replace(plain, 'a word of section 4 of the desig.', 'one of the words in docs/model.md');
        plain := regexp_replace(plain, 'every word of section 4 of the desig.', 'every reason in docs/model.md');
        plain := regexp_replace(plain, ': section 6 of the desig.', ' (docs/model.md, Outcome of a message)');
        if described.attname is not null then
            execute format('comment on column %s.%I is %L', described.relation, described.attname, plain);
        elsif described.relkind in ('v', 'm') then
            execute format('comment on view %s is %L', described.relation, plain);
        else
            execute format('comment on table %s is %L', described.relation, plain);
        end if;
    end loop;
end
$$;
