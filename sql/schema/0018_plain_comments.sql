-- Plain sentences for analysts who are no native readers. Only comments change.

comment on schema fact is
    'Canonical events, and the legs and messages that are derived from them. Holds no clear addresses.';
comment on schema private is
    'Clear addresses and the raw bytes of rejected records. Only the loader and the support reader may read them.';
comment on schema staging is 'Tables that only one load or one build uses. They are disposable.';
comment on schema ops is
    'The ledger of loads and builds, landed objects, validation results, and settings of the warehouse.';

comment on function fact.message_key is
    'Key of the message that the legs of one account, channel and dispatch id make. If the dispatch id has '
    'several recipients: key of the message to the least of them.';
comment on function fact.recipient_message_key is
    'Key of the message to one of several recipients of a dispatch id. The message to the least recipient has '
    'fact.message_key instead.';
comment on function fact.ensure_partitions is
    'Creates the monthly partitions of fact.event that are missing. Returns how many it created.';
comment on function fact.key_floor is 'A key that sorts before every event key of this millisecond or later.';
comment on function fact.masked is
    'A masked address, by which nobody can be reached: a***@gmail.com, +49***12. It does not show how long the '
    'address is. Only the domain of a short address is shown.';
comment on function fact.timeline is
    'All events of a message in order of time, as the detail views of schema report show them.';
comment on function fact.failure is 'Why a message failed: the details of the failure event with this key.';
comment on function fact.sees_recipients is
    'True if the current user may see clear recipients: members of waybill_support_reader.';

comment on view report.blocked_email is
    'Emails with the word Blocked: they bounced as blocked (reputation, content, policy) at least once. They have '
    'the word Bounced too.';
comment on view report.bounced_email is
    'Emails with the word Bounced: they bounced at least once for a reason other than an invalid address. This '
    'includes emails that were delivered later (see state). failure_class and failure_reason say why they '
    'bounced.';
comment on view report.invalid_email is
    'Emails with the word Invalid: they bounced or were dropped at least once because the address is malformed or '
    'does not exist.';
comment on view report.spam_email is 'Emails with the word Spam: the recipient marked them as spam.';
comment on view report.email_activity is
    'Every email and its outcome. One row per message, including emails that were never sent.';
comment on view report.sms_activity is
    'Every text message and its outcome. One row per message, including messages that were never sent.';
comment on view report.ivr_activity is
    'Every call and its outcome. One row per message, including calls that were never made.';
comment on view private.message_detail is
    'All columns of the detail views in schema report, for messages of every channel.';
comment on view private.message_with_recipient is
    'Messages with their recipient: clear for members of waybill_support_reader, masked for everybody else. The '
    'detail views of schema report read from it.';

comment on view report.build is 'Builds that were published. The last one made the reports as they are now.';
comment on column report.build.as_of is
    'Time of the snapshot that the build read (UTC). The reports contain what was loaded before it.';
comment on column report.build.days_built is 'Local days that it rebuilt. Null: all days.';

comment on table report.communication_activity_daily is
    'Messages by what happened to them. A message counts once for each status, on the day on which that first '
    'happened. A message can have several statuses, so do not add them up.';
comment on column report.communication_activity_daily.event_status is
    'Emails: Processed, Delivered, Open, Click, Spam, Dropped, Bounced, Blocked, Invalid; a Blocked email is also '
    'Bounced. Text messages (sms): Delivered, Undelivered. Calls (ivr): Completed, No-Answer, Failed.';

comment on table report.delivery_latency_daily is
    'How long messages waited, by the day they were sent: from the first event of any gateway to the first '
    'delivery, and to the first open by a person. A percentile is the wait of one real message. Do not add '
    'percentiles up, and do not average them.';
comment on column report.delivery_latency_daily.channel is 'email or sms. Calls have no delivery.';
comment on column report.delivery_latency_daily.provider is
    'Gateway that carried the message last. If no gateway has reported the message: the gateway that the dispatch '
    'log names. (none): no gateway is known.';
comment on column report.delivery_latency_daily.delivery_count is
    'Messages with a delivery (count), including those that bounced later.';
comment on column report.delivery_latency_daily.delivery_p50_seconds is
    'Half of these messages were delivered within this time, in seconds. Null: no such message.';
comment on column report.delivery_latency_daily.delivery_p90_seconds is
    '90 % of these messages were delivered within this time, in seconds. Null: no such message.';
comment on column report.delivery_latency_daily.delivery_p99_seconds is
    '99 % of these messages were delivered within this time, in seconds. Null: no such message.';
comment on column report.delivery_latency_daily.human_open_count is
    'Messages with an opened event that the provider does not flag as a machine''s (count). Clicks and '
    'unsubscribes do not count here.';
comment on column report.delivery_latency_daily.human_open_p50_seconds is
    'Half of these messages had their first such event within this time, in seconds. Null: no such message.';
comment on column report.delivery_latency_daily.human_open_p90_seconds is
    '90 % of these messages had their first such event within this time, in seconds. Null: no such message.';
comment on column report.delivery_latency_daily.human_open_p99_seconds is
    '99 % of these messages had their first such event within this time, in seconds. Null: no such message.';

comment on table report.email_campaign is
    'The funnel of the emails that were sent on a day: what has become of them until now. sent = delivered + '
    'bounced_hard + bounced_soft + not_delivered + in_gateway.';
comment on column report.email_campaign.provider is
    'Gateway that carried the message last. If no gateway has reported the message: the gateway that the dispatch '
    'log names. (none): no gateway is known.';
comment on column report.email_campaign.delivered is
    'Messages that were delivered (count). An open, a click, a spam report or an unsubscribe counts as a '
    'delivery.';
comment on column report.email_campaign.bounced_hard is
    'Messages that bounced with class invalid or hard_bounce (count).';
comment on column report.email_campaign.bounced_soft is
    'Messages that bounced with class soft_bounce or blocked (count).';
comment on column report.email_campaign.blocked is 'Messages in bounced_soft with class blocked (count).';
comment on column report.email_campaign.invalid is 'Messages in bounced_hard with class invalid (count).';
comment on column report.email_campaign.not_delivered is
    'Messages that the gateway did not send on, or that failed without a known class (count).';
comment on column report.email_campaign.in_gateway is 'Messages that have no final result yet (count).';
comment on column report.email_campaign.opened is 'Messages with an open, a click or an unsubscribe (count).';
comment on column report.email_campaign.opened_human is
    'Like opened, without events that the provider flags as a machine''s (count).';
comment on column report.email_campaign.clicked is 'Messages with a click or an unsubscribe (count).';
comment on column report.email_campaign.unsubscribed is 'Messages with an unsubscribe (count).';
comment on column report.email_campaign.clicked_human is
    'Like clicked, without events that the provider flags as a machine''s (count).';

comment on table report.email_deliverability_daily is
    'What gateways and mail servers did with emails. An email counts once for each kind of event, on the day of '
    'its first such event. A failed email counts once, on the day and in the class of its latest failure. An open '
    'or a click does not undo a failure here.';
comment on column report.email_deliverability_daily.campaign_id is 'Campaign, or (none).';
comment on column report.email_deliverability_daily.deferred_count is
    'Emails first deferred by the receiving server that day (count).';
comment on column report.email_deliverability_daily.dropped_count is
    'Emails that the gateway first refused to send that day (count). They also count in a failure class.';
comment on column report.email_deliverability_daily.hard_bounce_count is
    'Emails whose latest failure was on that day and has class hard_bounce (count).';
comment on column report.email_deliverability_daily.soft_bounce_count is
    'Emails whose latest failure was on that day and has class soft_bounce (count).';
comment on column report.email_deliverability_daily.blocked_count is
    'Emails whose latest failure was on that day and has class blocked (count).';
comment on column report.email_deliverability_daily.invalid_count is
    'Emails whose latest failure was on that day and has class invalid (count).';
comment on column report.email_deliverability_daily.gateway_suppressed_count is
    'Emails whose latest failure was on that day and has class gateway_suppressed (count).';
comment on column report.email_deliverability_daily.unclassified_count is
    'Emails whose latest failure was on that day and has class unknown (count).';

comment on table report.email_engagement_daily is
    'Opens, clicks and unsubscribes of emails, on the day they happened. An email that two gateways carried '
    'counts once for each gateway.';
comment on column report.email_engagement_daily.campaign_id is 'Campaign, or (none).';
comment on column report.email_engagement_daily.provider is 'Gateway that reported the event.';
comment on column report.email_engagement_daily.open_count is 'Opened events (count), including those of machines.';
comment on column report.email_engagement_daily.machine_open_count is
    'Opened events that the provider flags as a machine''s (count). They are part of open_count.';
comment on column report.email_engagement_daily.unique_human_open_count is
    'Emails first opened that day (count), without opens that the provider flags as a machine''s.';
comment on column report.email_engagement_daily.click_count is 'Clicked events (count), including those of machines.';
comment on column report.email_engagement_daily.machine_click_count is
    'Clicked events that the provider flags as a machine''s (count). They are part of click_count.';
comment on column report.email_engagement_daily.suspected_machine_open_count is
    'Opened events whose user agent is a machine''s, but which the provider does not flag as a machine''s '
    '(count). They are part of open_count and not of machine_open_count. Every human column still counts them.';
comment on column report.email_engagement_daily.suspected_machine_click_count is
    'Clicked events whose user agent is a machine''s, but which the provider does not flag as a machine''s '
    '(count). They are part of click_count and not of machine_click_count. Every human column still counts them.';

comment on table report.email_failure_reason_daily is
    'Why emails failed. Each failed email of report.email_deliverability_daily counts once, on the day and with '
    'the reason of its latest failure. The reasons of a class add up to the count of that class in that report.';
comment on column report.email_failure_reason_daily.campaign_id is 'Campaign, or (none).';
comment on column report.email_failure_reason_daily.failure_class is
    'invalid, hard_bounce, soft_bounce, blocked, gateway_suppressed or unknown. In '
    'report.email_deliverability_daily, unclassified_count counts unknown.';
comment on column report.email_failure_reason_daily.failure_reason is
    'Detailed reason of the failure, one of the words in docs/model.md. unclassified: no rule fits.';
comment on column report.email_failure_reason_daily.leg_count is
    'Emails (count). An email that two gateways carried counts once for each gateway.';

comment on table report.email_link is
    'Links of the emails that were sent on a day, and the clicks on them since then. Only clicked events count. A '
    'person who unsubscribed without a clicked event counts as clicked in report.email_campaign, not here.';
comment on column report.email_link.url is
    'The link up to its first ? or #, at most 500 characters, with addresses redacted. If that is more than 1,500 '
    'bytes: its beginning and a digest. (none): the provider names no link.';
comment on column report.email_link.click_count is 'Clicked events (count), including those of machines.';
comment on column report.email_link.unique_human_click_count is
    'Messages in which the link was clicked (count), without clicks that the provider flags as a machine''s.';

comment on view report.freshness is
    'How far each feed has come, which events and records it could not use, and whether the reports are older '
    'than they should be.';
comment on column report.freshness.complete_until is
    'For a feed that is pulled: end of the windows that are complete without a gap (UTC). For a feed of files: '
    'every discovered object that was landed before this time is published (UTC).';
comment on column report.freshness.last_event_at is
    'Latest time in the keys of its published events (UTC). In an event log, this is the time of the event. In '
    'rows with a changing status, it is the creation of the message.';
comment on column report.freshness.unattributed_count is
    'Events that name no message, so that no report counts them (count, all time).';
comment on column report.freshness.rejected_count is
    'Records that could not be normalised, and still cannot (count, all time).';
comment on column report.freshness.stale_reason is 'Why the last build was not published. Null: it was published.';
comment on column report.freshness.handed_over_count is
    'Messages that the dispatch log says were handed over to the gateway of this feed, so long ago that the feed '
    'should have reported them (count, all time; whole UTC days). If the gateway has no feed here, its messages '
    'count in the row of dispatch_log.';
comment on column report.freshness.handed_over_unseen_count is
    'Messages in handed_over_count of which the gateway has reported nothing (count). They are lost or not '
    'joined. `waybill status --joins` gives examples.';
comment on column report.freshness.gateway_message_count is
    'Messages of the gateway of this feed, from the UTC day on which the dispatch log of the account begins '
    '(count). 0 without a dispatch log.';
comment on column report.freshness.gateway_message_undispatched_count is
    'Messages in gateway_message_count without a row in the dispatch log (count). They were sent without the '
    'campaign system, or are not joined.';

comment on table report.ivr_activity_daily is
    'Calls by the day they were placed, and how they ended. sent = completed + no_answer + failed + in_gateway.';
comment on column report.ivr_activity_daily.provider is
    'Gateway that carried the message last. If no gateway has reported the message: the gateway that the dispatch '
    'log names. (none): no gateway is known.';
comment on column report.ivr_activity_daily.in_gateway is 'Calls that have no final result yet (count).';
comment on column report.ivr_activity_daily.busy is 'Calls in no_answer whose line was busy (count).';
comment on column report.ivr_activity_daily.canceled is
    'Calls in failed that were withdrawn before they were placed (count).';
comment on column report.ivr_activity_daily.duration_seconds is 'Total duration of the calls, in seconds.';

comment on view report.live_monitoring is
    'What has become of the messages of each campaign so far. opened and clicked are as of the last build. All '
    'other columns are up to date as soon as a load is committed. targeted = sent + not_sent + in_progress_queued '
    '+ in_progress_about_to_be_sent. sent = delivered + bounced_hard + bounced_soft + not_delivered + in_gateway.';
comment on column report.live_monitoring.targeted is
    'Messages that the campaign system decided on, or that a gateway reported (count).';
comment on column report.live_monitoring.delivered is
    'Messages in sent that were delivered or completed (count). An open, a click, a spam report or (for email) an '
    'unsubscribe counts as a delivery, whatever else was reported.';
comment on column report.live_monitoring.bounced_hard is
    'Messages in sent that bounced because the address is invalid or refuses permanently (count).';
comment on column report.live_monitoring.bounced_soft is
    'Messages in sent that bounced temporarily or were blocked (count).';
comment on column report.live_monitoring.not_delivered is
    'Messages in sent that were not delivered for another reason (count): the gateway refused them, they failed, '
    'nobody answered, or they were canceled.';
comment on column report.live_monitoring.in_gateway is 'Messages in sent that have no final result yet (count).';
comment on column report.live_monitoring.opened is
    'Messages with an open or a click, as of engagement_as_of (count). For email, an unsubscribe counts too.';
comment on column report.live_monitoring.clicked is
    'Messages with a click, as of engagement_as_of (count). For email, an unsubscribe counts too.';
comment on column report.live_monitoring.marked_unsubscribed is 'Messages with an unsubscribe (count).';
comment on column report.live_monitoring.not_sent is
    'Messages that the campaign system did not send (count). report.live_monitoring_reason says why.';
comment on column report.live_monitoring.not_sent_internally_suppressed is
    'Messages in not_sent that the rules of the campaign system forbade (count).';
comment on column report.live_monitoring.not_sent_incomplete_or_invalid is
    'Messages in not_sent for which something was missing or invalid (count).';
comment on column report.live_monitoring.not_sent_system_error is
    'Messages in not_sent for which something failed in the campaign system (count).';
comment on column report.live_monitoring.not_sent_other is 'Messages in not_sent whose reason is not known (count).';
comment on column report.live_monitoring.delivery_as_of is
    'When the last load of the account was committed (UTC). All columns except opened and clicked are as of this '
    'time.';
comment on column report.live_monitoring.engagement_as_of is
    'Snapshot of the last published build (UTC). opened and clicked are as of this time. Null: no build was '
    'published.';

comment on view report.live_monitoring_reason is
    'Why messages were not sent, as up to date as report.live_monitoring. The rows of a campaign and channel add '
    'up to its not_sent.';
comment on column report.live_monitoring_reason.reason is
    'Reason, one of the words in docs/model.md. unclassified: the campaign system''s word is not known.';

comment on table report.message_cost_daily is
    'What gateways charged, by the day the message was sent. A message without a price has no row. Costs in '
    'different currencies are never added up.';
comment on column report.message_cost_daily.provider is 'Gateway that charged the price.';
comment on column report.message_cost_daily.cost is 'What they cost, exact. A credit is negative. Unit: currency.';

comment on table report.sms_activity_daily is
    'Text messages by the day they were sent, and what has become of them. sent = delivered + undelivered + '
    'in_gateway.';
comment on column report.sms_activity_daily.provider is
    'Gateway that carried the message last. If no gateway has reported the message: the gateway that the dispatch '
    'log names. (none): no gateway is known.';
comment on column report.sms_activity_daily.in_gateway is 'Messages that have no final result yet (count).';
comment on column report.sms_activity_daily.undelivered is 'Messages that bounced or were not delivered (count).';

comment on table report.sms_failure_reason_daily is
    'Why text messages were not delivered, by the day they were sent. Each undelivered message of '
    'report.sms_activity_daily counts once. The rows with the same day, account, provider, campaign and country '
    'add up to undelivered in that report.';
comment on column report.sms_failure_reason_daily.provider is
    'Gateway that carried the message last. If no gateway has reported the message: the gateway that the dispatch '
    'log names. (none): no gateway is known.';
comment on column report.sms_failure_reason_daily.failure_class is
    'Class of the failure that explains the state. For a bounced message: invalid, hard_bounce, soft_bounce or '
    'blocked, from its latest such failure. For any other message: gateway_suppressed or unknown, from its latest '
    'failure. (none): the message was canceled and nothing failed.';
comment on column report.sms_failure_reason_daily.failure_reason is
    'Detailed reason of the same failure, one of the words in docs/model.md. unclassified: no rule fits. (none): '
    'nothing failed.';
comment on column report.sms_failure_reason_daily.provider_code is
    'The provider''s own error code of the same failure. (none): there is no code, or nothing failed.';

comment on view fact.counted_join is
    'What each message counts as in fact.join_count. This is the only definition; loads (before and after), '
    'recounts and examples use it.';
comment on column fact.counted_join.account is 'Account (organisation).';
comment on column fact.counted_join.gateway is 'Provider of the message, or (none).';
comment on column fact.counted_join.day is
    'UTC day on which the message was sent. If it was not sent: UTC day of its first event.';
comment on column fact.counted_join.dispatched is '1 if the dispatch log has a row of the message, else 0.';
comment on column fact.counted_join.handed_over is
    '1 if the dispatch log says that the message was handed over, else 0.';
comment on column fact.counted_join.handed_over_unseen is
    '1 if the message was handed over and no gateway has an event of it, else 0.';
comment on column fact.counted_join.gateway_message is '1 if a gateway has an event of the message, else 0.';
comment on column fact.counted_join.gateway_message_undispatched is
    '1 if a gateway has an event of the message and the dispatch log has no row of it, else 0.';

comment on view fact.counted_message is
    'What each message counts as in live monitoring. This is the only definition; loads (before and after), '
    'recounts and checks use it. To change it, write a migration that also recounts.';
comment on column fact.counted_message.account is 'Account (organisation).';
comment on column fact.counted_message.category is 'Not-sent category. (none): the state is not not_sent.';
comment on column fact.counted_message.reason is
    'Not-sent reason. unclassified: the campaign system''s word is not known. (none): the state is not not_sent.';
comment on column fact.counted_message.targeted is 'Always 1.';
comment on column fact.counted_message.sent is '1 if the message has a gateway-side event, else 0.';
comment on column fact.counted_message.delivered is '1 if the state is delivered, else 0.';
comment on column fact.counted_message.bounced_hard is
    '1 if the state is bounced and the class invalid or hard_bounce, else 0.';
comment on column fact.counted_message.bounced_soft is
    '1 if the state is bounced and the class soft_bounce or blocked, else 0.';
comment on column fact.counted_message.not_delivered is '1 if the state is not_delivered, else 0.';
comment on column fact.counted_message.in_gateway is '1 if the state is in_gateway, else 0.';
comment on column fact.counted_message.opened is
    '1 if the message has an open or a click, or is an email with an unsubscribe, else 0.';
comment on column fact.counted_message.clicked is
    '1 if the message has a click, or is an email with an unsubscribe, else 0.';
comment on column fact.counted_message.marked_spam is '1 if the message was reported as spam, else 0.';
comment on column fact.counted_message.marked_unsubscribed is '1 if the message has an unsubscribe, else 0.';
comment on column fact.counted_message.not_sent is '1 if the state is not_sent, else 0.';
comment on column fact.counted_message.not_sent_internally_suppressed is
    '1 if the not-sent category is internally_suppressed, else 0.';
comment on column fact.counted_message.not_sent_incomplete_or_invalid is
    '1 if the not-sent category is incomplete_or_invalid, else 0.';
comment on column fact.counted_message.not_sent_system_error is '1 if the not-sent category is system_error, else 0.';
comment on column fact.counted_message.not_sent_other is '1 if the not-sent category is other, else 0.';
comment on column fact.counted_message.in_progress_queued is
    '1 if the state is in_progress and the message is not about to be sent, else 0.';
comment on column fact.counted_message.in_progress_about_to_be_sent is
    '1 if the state is in_progress and the message is about to be sent, else 0.';
comment on column fact.counted_message.message_count is
    '1 if the message has a not-sent category, else 0. fact.live_reason adds it up.';

comment on table fact.event is
    'Canonical events. Each event is stored once, however often and through however many feeds it was loaded.';
comment on column fact.event.event_key is
    'UUID of version 8: milliseconds of a time that never changes, then a keyed hash of the event''s identity.';
comment on column fact.event.event_type is
    'One of the 24 event types of docs/model.md. unknown: the provider''s word has no mapping.';
comment on column fact.event.provider is
    'Who reported the event: sendgrid, twilio, …, or dispatch for the campaign system''s own log.';
comment on column fact.event.feed is 'Feed that contained the event. If several feeds did: the greatest.';
comment on column fact.event.leg_key is 'The leg that the event belongs to. Null: the record names no message.';
comment on column fact.event.provider_event_id is
    'The provider''s own event id. It changes on some retries, so no key contains it.';
comment on column fact.event.account is 'Account (organisation).';
comment on column fact.event.recipient_key is
    'Keyed hash of the recipient. Only private.recipient has the clear address.';
comment on column fact.event.mailbox_provider is
    'gmail, yahoo, microsoft, apple or other, from the recipient''s domain.';
comment on column fact.event.failure_class is
    'For failures: invalid, hard_bounce, soft_bounce, blocked, gateway_suppressed or unknown.';
comment on column fact.event.failure_reason is 'For failures: a more detailed reason, by the versioned rules.';
comment on column fact.event.not_sent_category is 'For suppressed events: category of the reason.';
comment on column fact.event.not_sent_reason is
    'For suppressed events: a known reason as one of the words in docs/model.md, any other as the campaign system '
    'wrote it.';
comment on column fact.event.is_machine is
    'The provider''s own flag that a machine caused the event. Null: the provider does not say.';
comment on column fact.event.machine_rule is
    'For opened and clicked: the rule that recognises the user agent as a machine''s. This is only a suspicion '
    'and changes no human count; is_machine has the provider''s own flag. Null: no rule fits.';
comment on column fact.event.scope is 'For an unsubscribe: global, or the group.';
comment on column fact.event.price is 'Price of the message, positive. A credit is negative. Unit: currency.';
comment on column fact.event.extra is 'Other details that the provider gave, redacted.';
comment on column fact.event.own_leg_key is
    'Key of the leg that the sender''s own Message-ID and the recipient make, if the record has that id. It is a '
    'keyed hash; the id itself is not stored.';

comment on table fact.join_count is
    'fact.counted_join added up by day. Each load adds its differences and removes rows that become zero. A full '
    'rebuild counts again.';
comment on column fact.join_count.account is 'Account (organisation).';
comment on column fact.join_count.gateway is 'Provider of the messages, or (none).';
comment on column fact.join_count.day is
    'UTC day on which the messages were sent. If they were not sent: UTC day of their first event.';
comment on column fact.join_count.handed_over_unseen is
    'Messages in handed_over without an event of a gateway (count).';
comment on column fact.join_count.gateway_message_undispatched is
    'Messages in gateway_message without a row in the dispatch log (count).';

comment on view fact.join_day is
    'fact.join_count by feed, as it is meant to be read. Hand-overs count once the feed of their gateway has had '
    'time to report them. Messages of a gateway count from the day on which the dispatch log of the account '
    'begins.';
comment on column fact.join_day.account is 'Account (organisation).';
comment on column fact.join_day.feed is 'Feed of the gateway. dispatch_log: the gateway has no feed here.';
comment on column fact.join_day.gateway is 'Provider of the messages, or (none).';
comment on column fact.join_day.is_due is
    'True if the day is over and the lateness of the feed after that day has passed too.';
comment on column fact.join_day.handed_over is
    'Messages that the dispatch log says were handed over (count). 0 before the day is due.';
comment on column fact.join_day.handed_over_unseen is 'Messages in handed_over without an event of a gateway (count).';
comment on column fact.join_day.gateway_message is
    'Messages with an event of a gateway (count). 0 before the dispatch log begins.';
comment on column fact.join_day.gateway_message_undispatched is
    'Messages in gateway_message without a row in the dispatch log (count).';

comment on table fact.leg is
    'One message as one system knows it. The columns depend only on the set of its merged events. message_key and '
    'is_copy also depend on the recipients that the dispatch log names, and on other legs with the same Message-ID.';
comment on column fact.leg.leg_key is
    'Keyed hash. For a leg of a gateway: of (account, provider, provider_message_id, and the recipient if the id '
    'covers several). For a leg that only the sender''s Message-ID names: of (account, provider, own, the '
    'Message-ID, recipient). For a leg of the dispatch log: of (account, dispatch, channel, dispatch_id, and the '
    'recipient if the row names one).';
comment on column fact.leg.account is 'Account (organisation).';
comment on column fact.leg.channel is 'email, sms or ivr. Null: only the dispatch log has named the leg so far.';
comment on column fact.leg.provider is 'Provider, or dispatch. Null: only the dispatch log has named the leg so far.';
comment on column fact.leg.recipient_key is 'Recipient. If the events name several: the greatest.';
comment on column fact.leg.event_count is
    'Number of its own events. 0: the dispatch log has named the leg, and no event has come yet.';
comment on column fact.leg.message_key is 'The message that the leg belongs to. Null: the leg has no event yet.';
comment on column fact.leg.campaign_choice is
    'Best campaign of its events: the rank of the source (1 dispatch log, 2 custom argument, 3 provider, 4 '
    'category), then the id.';
comment on column fact.leg.template_choice is 'Best template of its events, written like campaign_choice.';
comment on column fact.leg.first_gateway_event_at is 'First event other than queued, scheduled and suppressed (UTC).';
comment on column fact.leg.is_scheduled is 'True if the leg has a scheduled event.';
comment on column fact.leg.has_other_failure is
    'True if the leg has a no_answer, busy or canceled event, or a failure whose class is not invalid, '
    'hard_bounce, soft_bounce or blocked.';
comment on column fact.leg.is_unsubscribed is 'True if the leg has an unsubscribed event.';
comment on column fact.leg.last_delivered_at is 'Last delivered or completed event (UTC).';
comment on column fact.leg.last_suppressed_at is 'Last suppressed event (UTC).';
comment on column fact.leg.last_suppressed_key is 'Key of the last suppressed event.';
comment on column fact.leg.last_suppressed_category is 'not_sent_category of the last suppressed event.';
comment on column fact.leg.last_suppressed_reason is 'not_sent_reason of the last suppressed event.';
comment on column fact.leg.last_handed_over_at is 'Last handed_over event (UTC).';
comment on column fact.leg.last_handed_over_key is 'Key of the last handed_over event.';
comment on column fact.leg.last_handed_over_gateway is 'Gateway that the last handed_over event names.';
comment on column fact.leg.last_bounce_key is 'Key of the event of last_bounce_at.';
comment on column fact.leg.last_bounce_class is 'failure_class of the event of last_bounce_at.';
comment on column fact.leg.last_bounce_reason is 'failure_reason of the event of last_bounce_at.';
comment on column fact.leg.last_failure_at is 'Last bounced, dropped, undelivered or failed event, of any class (UTC).';
comment on column fact.leg.last_failure_key is 'Key of the event of last_failure_at.';
comment on column fact.leg.last_failure_class is 'failure_class of the event of last_failure_at.';
comment on column fact.leg.last_failure_reason is 'failure_reason of the event of last_failure_at.';
comment on column fact.leg.last_unanswered_at is 'Last no_answer, busy, failed or canceled event (UTC).';
comment on column fact.leg.last_unanswered_key is 'Key of the event of last_unanswered_at.';
comment on column fact.leg.last_unanswered_type is 'event_type of the event of last_unanswered_at.';
comment on column fact.leg.last_completed_at is 'Last completed event (UTC).';
comment on column fact.leg.last_completed_key is 'Key of the last completed event.';
comment on column fact.leg.last_completed_by is 'answered_by of the last completed event.';
comment on column fact.leg.first_processed_at is 'First processed event (UTC).';
comment on column fact.leg.first_deferred_at is 'First deferred event (UTC).';
comment on column fact.leg.first_delivered_at is 'First delivered event (UTC).';
comment on column fact.leg.first_dropped_at is 'First dropped event (UTC).';
comment on column fact.leg.first_bounced_at is 'First bounced event of a class other than invalid (UTC).';
comment on column fact.leg.first_blocked_at is 'First bounced event of class blocked (UTC).';
comment on column fact.leg.first_invalid_at is 'First bounced or dropped event of class invalid (UTC).';
comment on column fact.leg.first_undelivered_at is 'First undelivered event (UTC).';
comment on column fact.leg.first_completed_at is 'First completed event (UTC).';
comment on column fact.leg.first_no_answer_at is 'First no_answer or busy event (UTC).';
comment on column fact.leg.first_failed_at is 'First failed or canceled event of a call (UTC).';
comment on column fact.leg.first_opened_at is 'First opened event (UTC).';
comment on column fact.leg.first_human_opened_at is
    'First opened event that the provider does not flag as a machine''s (UTC).';
comment on column fact.leg.first_clicked_at is 'First clicked event (UTC).';
comment on column fact.leg.first_human_clicked_at is
    'First clicked event that the provider does not flag as a machine''s (UTC).';
comment on column fact.leg.first_spam_reported_at is 'First spam_reported event (UTC).';
comment on column fact.leg.own_leg_key is
    'Key of the leg that the sender''s own Message-ID and the recipient make. If the events name several: the '
    'least. The same as leg_key if this is that leg. Null: no event has such an id.';
comment on column fact.leg.is_copy is
    'True for a blind copy: the dispatch log names recipients for the dispatch id of the leg, but not the '
    'recipient of the leg.';

comment on table fact.live_count is
    'fact.counted_message added up, without opened and clicked. Each load adds its differences and removes rows '
    'that become zero. A full rebuild counts again.';
comment on column fact.live_count.account is 'Account (organisation).';
comment on column fact.live_count.marked_unsubscribed is 'Messages with an unsubscribe (count).';

comment on table fact.live_engagement is
    'Opened and clicked messages as of the last published build. Only builds write it.';
comment on column fact.live_engagement.account is 'Account (organisation).';
comment on column fact.live_engagement.delivered is
    'Messages in state delivered at that build (count). opened and clicked are compared with it.';

comment on table fact.live_reason is
    'Messages not sent, by reason: fact.counted_message added up. It is kept up to date like fact.live_count.';
comment on column fact.live_reason.account is 'Account (organisation).';

comment on table fact.message is
    'The legs of one account, channel, dispatch id and intended recipient. A leg without a dispatch id is a '
    'message by itself.';
comment on column fact.message.message_key is
    'Key of the message. For one leg without a dispatch id: its leg_key. Otherwise a hash of (account, channel, '
    'dispatch_id). The hash includes the recipient if the dispatch log names a lesser recipient for the same '
    'dispatch id.';
comment on column fact.message.account is 'Account (organisation).';
comment on column fact.message.dispatch_id is
    'Id of the message in the campaign system. Null: no id is known. Has an index.';
comment on column fact.message.recipient_key is
    'Recipient that the dispatch log names. Without one: the recipient of the gateway. If there are several: the '
    'greatest.';
comment on column fact.message.sent_at is
    'When the message was sent (UTC): the first event of a gateway or the hand-over in the dispatch log, '
    'whichever is earlier. Null: never sent.';
comment on column fact.message.sent_day is 'Local day of sent_at. Null: never sent. Has an index.';
comment on column fact.message.provider is
    'Provider of the gateway leg that began last. Without a gateway leg: the gateway that the latest handed_over '
    'event names.';
comment on column fact.message.failure_class is
    'Class of the failure that decides the state of a bounced message. Null in every other state.';
comment on column fact.message.failure_reason is
    'Reason of the failure that decides the state of a bounced message. Null in every other state.';
comment on column fact.message.not_sent_category is
    'Why the message was not sent: internally_suppressed, incomplete_or_invalid, system_error or other. Null in '
    'every other state.';
comment on column fact.message.not_sent_reason is
    'Why the message was not sent: one of the words in docs/model.md, or the campaign system''s own word if it is '
    'not known. Null in every other state.';
comment on column fact.message.is_scheduled is
    'For a message in progress: true if it is about to be sent, false if it is queued. False in every other '
    'state.';
comment on column fact.message.is_delivered_then_bounced is
    'True if the state is bounced and the message was delivered before that.';
comment on column fact.message.is_opened is
    'True if the message has an open or a click. For email, an unsubscribe counts too.';
comment on column fact.message.is_opened_human is
    'Like is_opened, without opens and clicks that the provider flags as a machine''s.';
comment on column fact.message.is_clicked is 'True if the message has a click. For email, an unsubscribe counts too.';
comment on column fact.message.is_clicked_human is
    'Like is_clicked, without clicks that the provider flags as a machine''s.';
comment on column fact.message.is_spam_reported is 'True if the message was reported as spam.';
comment on column fact.message.is_unsubscribed is 'True if the message has an unsubscribe.';
comment on column fact.message.unanswered_type is
    'The latest of the events no_answer, busy, failed and canceled. Null unless the state is bounced or '
    'not_delivered.';
comment on column fact.message.answered_by is 'Who answered the latest completed call: human, machine_start, fax, …';
comment on column fact.message.segments is
    'SMS segments (count), added up over all gateways that carried the message. Null: not reported.';
comment on column fact.message.duration_seconds is
    'Duration in seconds, added up over all calls of the message. Null: not reported.';
comment on column fact.message.days is 'Local days on which a report counts the message, in order.';
comment on column fact.message.failure_key is
    'Key of the failure event that explains the state. State bounced: its latest failure of class invalid, '
    'hard_bounce, soft_bounce or blocked. State not_delivered: its latest failure; null if nothing failed '
    '(canceled, busy, no_answer). Null in every other state.';
comment on column fact.message.ignores_copies is
    'True if the message has copies and also a gateway leg of its intended recipient. Then the copies have no '
    'effect on its outcome.';

comment on table fact.reason is
    'What a state or a reason means, in plain words: one text for every reason in docs/model.md.';
comment on column fact.reason.kind is
    'Which vocabulary the word belongs to: failure, not_sent, unanswered (calls), or state if there is no reason '
    'to explain.';
comment on column fact.reason.words is 'What it means, in plain words.';

comment on table private.recipient is 'The clear address of each recipient_key. To erase a person, begin here.';
comment on column private.recipient.account is 'Account (organisation).';
comment on column private.recipient.address is
    'Normalised address: email trimmed and in lower case, phone as + and digits.';

comment on table private.rejected_record is 'Records that could not be normalised, each once, with their raw bytes.';
comment on column private.rejected_record.reason is 'Why it was rejected. Never contains personal data.';
comment on column private.rejected_record.object_id is 'Landed object in which it was first seen.';
comment on column private.rejected_record.load_id is 'Load that first rejected it.';
comment on column private.rejected_record.resolved_load_id is
    'Load that could normalise it later. Null: it is still rejected.';
comment on column private.rejected_record.seen_count is
    'How often these bytes occurred in the load that first rejected them (count).';
comment on column private.rejected_record.acceptable_at is
    'Time from which the record is no longer in the future (UTC). From then on, a load or a replay of its object '
    'accepts it. Null: it was rejected for another reason.';
comment on column private.rejected_record.rejected_at is 'When it was rejected (UTC).';

comment on table ops.account_as_of is
    'How up to date the facts of each account are. A file can contain rows of several accounts, so ops.load alone '
    'does not say.';
comment on column ops.account_as_of.account is 'Account (organisation).';
comment on column ops.account_as_of.delivery_as_of is 'When the last load of the account was committed (UTC).';

comment on table ops.account_notice is
    'The latest notice of each kind that a provider sent about the account itself. Such records contain no event '
    'and count as ignored.';
comment on column ops.account_notice.detail is
    'What happened to the account, in the words of the provider. Null: the provider does not say.';
comment on column ops.account_notice.noticed_at is 'When it happened, according to the provider (UTC).';

comment on table ops.build is 'Every build of the reports, including those that failed or died.';
comment on column ops.build.status is
    'building, validated: this step is running or done, or the build died. published: its reports are the ones to '
    'read. failed: a gate stopped it. tried: a dry run.';
comment on column ops.build.as_of is 'Time of the snapshot that the build read (UTC).';
comment on column ops.build.days_built is 'Local days that it rebuilt. Null with is_full: all days.';
comment on column ops.build.is_full is 'True if it rebuilt every day.';
comment on column ops.build.rows_changed is 'Report rows deleted, updated or inserted (count).';
comment on column ops.build.candidates is 'What the build read, kept until it ends: days, tables and their row counts.';

comment on table ops.changed_day is 'Local days that loads changed and no build has rebuilt yet.';
comment on column ops.changed_day.load_id is 'The load that changed the day.';

comment on table ops.changed_engagement is
    'Changes that loads made to the numbers in fact.live_engagement and no build has added yet.';
comment on column ops.changed_engagement.account is 'Account (organisation).';
comment on column ops.changed_engagement.delivered is
    'Change of the number of delivered messages by the load (count). Negative: fewer than before.';
comment on column ops.changed_engagement.opened is
    'Change of the number of opened messages by the load (count). Negative: fewer than before.';
comment on column ops.changed_engagement.clicked is
    'Change of the number of clicked messages by the load (count). Negative: fewer than before.';

comment on table ops.feed is 'Feeds that were loaded at least once. Each load writes the row of its feed.';
comment on column ops.feed.kind is 'api: pulled window by window. files: objects that other systems land.';
comment on column ops.feed.provider is 'Provider of the feed, or dispatch.';
comment on column ops.feed.channel is 'email, sms or ivr. all: each record names its channel.';

comment on table ops.load is
    'The ledger: one row per load. In records: read = loaded + duplicate + rejected + ignored. In events: mapped '
    '= inserted + revised + unchanged.';
comment on column ops.load.kind is
    'load: new objects. replay: reads landed objects again and replaces the events of a key range.';
comment on column ops.load.digest is 'SHA-256 over the SHA-256 values of the objects of this load, in order.';
comment on column ops.load.status is
    'staging, staged, validated: this step is running or done, or the load died. published: committed. '
    'superseded: another load published the same objects meanwhile. stopped: the gate or the ceiling stopped it, '
    'or an object could not be read; no facts were written.';
comment on column ops.load.loaded_count is
    'Records that brought at least one new or revised event. If several records of the load contain the same '
    'event, only the first counts.';
comment on column ops.load.duplicate_count is 'Records that brought nothing new.';
comment on column ops.load.ignored_count is
    'Records that are not about an outbound message (inbound messages, child legs of calls).';
comment on column ops.load.mapped_count is 'Distinct events in the records.';
comment on column ops.load.revised_count is 'Events that were stored before and were changed.';
comment on column ops.load.unchanged_count is 'Events that were stored before and were not changed.';
comment on column ops.load.removed_count is
    'Events that a replay removed, because no landed record contains them any more.';
comment on column ops.load.unknown_count is 'Mapped events whose provider word has no mapping (event_type unknown).';
comment on column ops.load.pull_id is 'The pull whose objects it loads. Null: files given by hand, or a replay.';
comment on column ops.load.staged is
    'What the stage step counted, kept until the load is published or stopped. The publish step counts again and '
    'compares.';
comment on column ops.load.kept_until is
    'How long its staging tables wait for the next step (UTC). Null: only as long as the process that staged them '
    'lives.';
comment on column ops.load.rejected_reasons is
    'Rejected records of the load by reason: {"reason": count}. Null: they were not counted, or the load is still '
    'running.';

comment on table ops.load_object is 'Which objects a published load read, and the range of event keys in each.';
comment on column ops.load_object.first_key is 'Least event key in the object. Null: the object contains no event.';
comment on column ops.load_object.last_key is 'Greatest event key in the object. Null: the object contains no event.';

comment on table ops.object is
    'Landed objects: bytes as received. They never change, and their name comes from their content.';
comment on column ops.object.path is 'Where the object is stored, relative to LANDING_URL.';
comment on column ops.object.byte_count is 'Number of bytes.';
comment on column ops.object.landed_at is 'When it was first landed (UTC).';
comment on column ops.object.source is
    'Path or URL of the file that was landed, with addresses redacted. For a page of an API: its request without '
    'credentials. Null: it came from a table, or was landed before this column existed.';

comment on table ops.pull is 'One row per pull: a window of an API feed, or one look into the inbox.';
comment on column ops.pull.from_at is 'Start of the window (UTC, included). Null: a pull of files.';
comment on column ops.pull.until_at is 'End of the window (UTC, not included). Null: a pull of files.';
comment on column ops.pull.record_count is
    'Records on its pages; a record that was shown twice counts twice. 0 for files, because their records are '
    'only counted when they are staged.';
comment on column ops.pull.broken is
    'What could not be read, in words. The rest is loaded, but the window is not complete.';
comment on column ops.pull.pulled_at is 'When its last page was landed (UTC). Null: the pull is running or died.';
comment on column ops.pull.committed_at is
    'When the last of its landed objects was published (UTC). From then on its window counts as complete.';

comment on table ops.pull_page is
    'What a pull has landed, page by page. A pull that died continues after its last page.';
comment on column ops.pull_page.listing is
    'Which list of the pull the page belongs to, in words. For the inbox: the file.';
comment on column ops.pull_page.next_link is
    'Link to the next page, as the provider gave it, without credentials. Null: this was the last page.';

comment on table ops.report_state is 'Whether the reports are older than they should be. The table has one row.';
comment on column ops.report_state.stale_reason is 'Why the last build was not published. Null: it was published.';
comment on column ops.report_state.stale_since is 'When the first of the failed builds in a row failed (UTC).';

comment on table ops.rules is
    'The newest rules version that derived events of each feed. Code with an older version is refused, so that it '
    'cannot overwrite newer results.';

comment on table ops.setting is 'Settings that belong to the warehouse itself.';
comment on column ops.setting.name is
    'key_fingerprint: fingerprint of the secret that all keys were made with. report_timezone: time zone of all '
    'local days.';

comment on table ops.validation is 'Results of the Great Expectations suites: counts and keys, never personal data.';
comment on column ops.validation.subject is 'What was validated, for example load 7 or build 3.';
comment on column ops.validation.success is 'True if no critical rule failed.';
comment on column ops.validation.checked_at is 'When it was checked (UTC).';

comment on table ops.watermark is
    'How far each API feed is complete: a series of windows without a gap whose objects are all published.';
comment on column ops.watermark.complete_from is 'Start of the series (UTC).';
comment on column ops.watermark.complete_until is
    'End of the series (UTC). The next pull begins there, minus the lateness of the feed.';

-- The detail views share their columns: one text for each.
do $$
declare
    shown record;
begin
    for shown in
        select view.attrelid::regclass as relation, view.attname, described.comment
        from pg_catalog.pg_attribute as view
        inner join (
            values
            ('dispatch_id', 'Id of the message in the campaign system. Null: no id is known. Has an index.'),
            (
                'provider',
                'Gateway that carried the message last. If no gateway has reported the message: the gateway that '
                'the dispatch log names. (none): no gateway is known.'
            ),
            (
                'provider_message_id',
                'Id that the gateway gave the message. If several gateways carried it: the id at the last one.'
            ),
            (
                'recipient',
                'Address or number of the recipient. Members of waybill_support_reader see it clear. They can '
                'search by the whole address: email in lower case, phone as + and digits. Everybody else sees it '
                'masked (a***@gmail.com, +49***12). Null: it is not known, or was erased.'
            ),
            (
                'words',
                'Every word of report.communication_activity_daily under which the message counts, in any state. '
                'Emails: Processed, Delivered, Open, Click, Spam, Dropped, Bounced, Blocked, Invalid. Text '
                'messages: Delivered, Undelivered. Calls: Completed, No-Answer, Failed.'
            ),
            ('progress', 'For a message in progress: queued or about_to_be_sent. Null in every other state.'),
            ('first_event_at', 'First event of the message (UTC). It is there even if the message was never sent.'),
            (
                'sent_at',
                'When the message was sent (UTC): the first event of a gateway or the hand-over in the dispatch '
                'log, whichever is earlier. Null: never sent.'
            ),
            ('sent_day', 'Local day of sent_at. Null: never sent. Has an index.'),
            ('processed_at', 'When the gateway first accepted the message (UTC).'),
            ('deferred_at', 'When the receiving server first deferred the message, that is, refused it for now (UTC).'),
            ('delivered_at', 'When the message was first delivered (UTC).'),
            ('opened_at', 'When the message was first opened or read (UTC), including by machines.'),
            (
                'human_opened_at',
                'When the message was first opened (UTC), without opens that the provider flags as a machine''s.'
            ),
            ('clicked_at', 'When the message was first clicked (UTC), including by machines.'),
            (
                'human_clicked_at',
                'When the message was first clicked (UTC), without clicks that the provider flags as a '
                'machine''s.'
            ),
            ('spam_reported_at', 'When the recipient first marked the message as spam (UTC).'),
            ('dropped_at', 'When the gateway first refused to send the message (UTC).'),
            (
                'bounced_at',
                'When the message first bounced for a reason other than an invalid address (UTC). It has the word '
                'Bounced.'
            ),
            ('blocked_at', 'When the message first bounced as blocked (UTC). It has the word Blocked.'),
            (
                'invalid_at',
                'When the message first bounced or was dropped because the address is invalid (UTC). It has the '
                'word Invalid.'
            ),
            ('undelivered_at', 'When the message was first reported as not delivered (UTC).'),
            ('completed_at', 'When the call was first connected and ended (UTC).'),
            ('no_answer_at', 'When the call was first not answered, or the line was busy (UTC).'),
            ('failed_at', 'When the call first failed or was canceled (UTC).'),
            ('is_opened', 'True if the message has an open or a click. For email, an unsubscribe counts too.'),
            ('is_opened_human', 'Like is_opened, without opens and clicks that the provider flags as a machine''s.'),
            ('is_clicked', 'True if the message has a click. For email, an unsubscribe counts too.'),
            ('is_clicked_human', 'Like is_clicked, without clicks that the provider flags as a machine''s.'),
            ('is_spam_reported', 'True if the message was reported as spam.'),
            ('is_unsubscribed', 'True if the message has an unsubscribe.'),
            ('is_delivered_then_bounced', 'True if the state is bounced and the message was delivered before that.'),
            (
                'is_stale',
                'True if the message is in the gateway and was sent at least 72 hours before the last published '
                'build (its as_of). False before the first build.'
            ),
            (
                'failure_class',
                'Class of the failure that explains best why the message failed. This is the latest failure of '
                'class invalid, hard_bounce, soft_bounce or blocked. Without one, it is the latest failure of '
                'class gateway_suppressed or unknown. It is there even if the message was delivered after all '
                '(see state). Null: nothing failed.'
            ),
            ('failure_reason', 'Detailed reason of the same failure, one of the words in docs/model.md.'),
            (
                'not_sent_category',
                'Why the message was not sent: internally_suppressed, incomplete_or_invalid, system_error or '
                'other. Null in every other state.'
            ),
            (
                'not_sent_reason',
                'Why the message was not sent, one of the words in docs/model.md. unclassified: the campaign '
                'system''s word is not known; the timeline shows it. Null in every other state.'
            ),
            ('reason_in_words', 'Why the message did not arrive, or where it is now, in plain words.'),
            ('provider_reason', 'The provider''s text of the same failure, with addresses and numbers redacted.'),
            (
                'timeline',
                'All events of the message in order of time, as a JSON array. Each element has at (UTC), '
                'event_type and provider. If the event has them, it also has provider_event, gateway, '
                'failure_class, failure_reason, provider_code, status_code, reason (redacted), is_machine, url '
                'and is_copy. is_copy: the event is about a copy that went to somebody else.'
            ),
            (
                'unanswered_type',
                'The latest of the events no_answer, busy, failed and canceled. Null unless the state is bounced '
                'or not_delivered.'
            ),
            ('answered_by', 'Who answered the latest completed call: human, machine_start, fax, …'),
            (
                'segments',
                'SMS segments (count), added up over all gateways that carried the message. Null: not reported.'
            ),
            ('duration_seconds', 'Duration in seconds, added up over all calls of the message. Null: not reported.'),
            (
                'cost',
                'Cost of the message so far, without copies, exact. Unit: currency. Null: no price was reported, '
                'or prices are in several currencies (see report.message_cost_daily).'
            )
        ) as described (name, comment) on described.name = view.attname
        where
            view.attnum > 0
            and view.attrelid in (
                'private.message_detail'::regclass,
                'private.message_with_recipient'::regclass,
                'report.blocked_email'::regclass,
                'report.bounced_email'::regclass,
                'report.email_activity'::regclass,
                'report.invalid_email'::regclass,
                'report.ivr_activity'::regclass,
                'report.sms_activity'::regclass,
                'report.spam_email'::regclass
            )
    loop
        execute format('comment on column %s.%I is %L', shown.relation, shown.attname, shown.comment);
    end loop;
end
$$;
comment on column private.message_with_recipient.is_scheduled is
    'For a message in progress: true if it is about to be sent, false if it is queued. False in every other '
    'state.';
comment on column private.message_with_recipient.not_sent_reason is
    'Why the message was not sent: one of the words in docs/model.md, or the campaign system''s own word if it is '
    'not known. Null in every other state.';
