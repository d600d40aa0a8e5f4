-- report: email_campaign
-- grain: sent_day, account, provider, campaign_id, template_id, mailbox_provider
-- reads: fact.message
-- params: days (date[], null: every day)
-- why: the funnel of the messages sent on a day, by their current state; a message counts once, also with several
--      gateways
with
sent_email as (
    select
        sent_day,
        account,
        coalesce(provider, '(none)') as provider,
        coalesce(campaign_id, '(none)') as campaign_id,
        coalesce(template_id, '(none)') as template_id,
        coalesce(mailbox_provider, '(none)') as mailbox_provider,
        state,
        case when state = 'bounced' then failure_class end as bounce_class,
        is_opened,
        is_opened_human,
        is_clicked,
        is_clicked_human,
        is_spam_reported,
        is_unsubscribed
    from fact.message
    where
        channel = 'email'
        and sent_day is not null
        and (
            %(days)s::date[] is null
            or (days && %(days)s::date[] and sent_day = any (%(days)s::date[]))
        )
),

funnel as (
    select
        sent_day,
        account,
        provider,
        campaign_id,
        template_id,
        mailbox_provider,
        count(*) as sent,
        count(*) filter (where state = 'delivered') as delivered,
        count(*) filter (where bounce_class in ('invalid', 'hard_bounce')) as bounced_hard,
        count(*) filter (where bounce_class in ('soft_bounce', 'blocked')) as bounced_soft,
        count(*) filter (where bounce_class = 'blocked') as blocked,
        count(*) filter (where bounce_class = 'invalid') as invalid,
        count(*) filter (where state = 'not_delivered') as not_delivered,
        count(*) filter (where state = 'in_gateway') as in_gateway,
        count(*) filter (where is_opened) as opened,
        count(*) filter (where is_opened_human) as opened_human,
        count(*) filter (where is_clicked) as clicked,
        count(*) filter (where is_clicked_human) as clicked_human,
        count(*) filter (where is_spam_reported) as spam_reported,
        count(*) filter (where is_unsubscribed) as unsubscribed
    from sent_email
    group by sent_day, account, provider, campaign_id, template_id, mailbox_provider
)

select
    sent_day,
    account,
    provider,
    campaign_id,
    template_id,
    mailbox_provider,
    sent,
    delivered,
    bounced_hard,
    bounced_soft,
    blocked,
    invalid,
    not_delivered,
    in_gateway,
    opened,
    opened_human,
    clicked,
    clicked_human,
    spam_reported,
    unsubscribed,
    round(delivered::numeric / nullif(sent, 0), 6) as delivery_rate,
    round((bounced_hard + bounced_soft)::numeric / nullif(sent, 0), 6) as bounce_rate,
    round(opened::numeric / nullif(delivered, 0), 6) as open_rate,
    round(clicked::numeric / nullif(delivered, 0), 6) as click_rate,
    round(spam_reported::numeric / nullif(delivered, 0), 6) as spam_rate,
    round(unsubscribed::numeric / nullif(delivered, 0), 6) as unsubscribe_rate,
    round(clicked::numeric / nullif(opened, 0), 6) as click_to_open_rate
from funnel
