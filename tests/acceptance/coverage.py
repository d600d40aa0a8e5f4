"""The figures that people need, and the statements over schema report that return them."""

from waybill.model.vocabulary import NOT_SENT_REASONS


def words(channel: str, word: str) -> str:
    return (
        "select sum(message_count) from report.communication_activity_daily"
        f" where channel = '{channel}' and event_status = '{word}'"
    )


def reasons(view: str, *found: str, classes: tuple[str, ...] = ()) -> str:
    """Return a count of messages in a detail view with one of these reasons that the daily report has, too."""
    listed = ", ".join(f"'{reason}'" for reason in found)
    among = "" if not classes else f" and failure_class in ({', '.join(repr(name) for name in classes)})"
    return (
        f"select least((select count(*) from report.{view} where failure_reason in ({listed}){among}),"
        f" (select sum(leg_count) from report.email_failure_reason_daily where failure_reason in ({listed}){among}))"
    )


def live(column: str) -> str:
    return f"select sum({column}) from report.live_monitoring"


def not_sent(category: str, reason: str) -> str:
    return (
        "select sum(message_count) from report.live_monitoring_reason"
        f" where category = '{category}' and reason = '{reason}'"
    )


TEMPORARY = ("server_unavailable", "connection_failed", "timed_out", "dns_failure", "rate_limited", "expired")
BLOCKING = ("ip_blocked", "domain_blocked", "policy_rejected", "authentication_failed", "relay_denied")
COVERAGE: dict[str, str] = {
    **{
        f"email {word}": words("email", word)
        for word in ("Open", "Delivered", "Processed", "Dropped", "Click", "Bounced", "Blocked", "Invalid", "Spam")
    },
    "Bounced because of: inbox full": reasons("bounced_email", "mailbox_full"),
    "Bounced because of: server blocking or blacklist": reasons("bounced_email", *BLOCKING),
    "Bounced because of: resembles spam": reasons("bounced_email", "content_rejected"),
    "Bounced because of: temporary error": reasons("bounced_email", *TEMPORARY, classes=("soft_bounce",)),
    "Blocked because of: resembles spam": reasons("blocked_email", "content_rejected", classes=("blocked",)),
    "Blocked because of: sending IP blocked": reasons("blocked_email", "ip_blocked", classes=("blocked",)),
    "Blocked because of: sending domain blacklisted": reasons("blocked_email", "domain_blocked", classes=("blocked",)),
    "Invalid because of: malformed": reasons("invalid_email", "address_malformed", classes=("invalid",)),
    "Invalid because of: does not exist": reasons("invalid_email", "address_not_found", classes=("invalid",)),
    "Spam": "select count(*) from report.spam_email",
    "SMS Delivered": words("sms", "Delivered"),
    "SMS Undelivered": words("sms", "Undelivered"),
    **{f"IVR {word}": words("ivr", word) for word in ("Completed", "No-Answer", "Failed")},
    "Live Monitoring: sent": live("sent"),
    "Live Monitoring: delivered": live("delivered"),
    "Live Monitoring: hard bounced": live("bounced_hard"),
    "Live Monitoring: soft bounced": live("bounced_soft"),
    "Live Monitoring: opened": live("opened"),
    "Live Monitoring: clicked": live("clicked"),
    "Live Monitoring: those who unsubscribed after opening are among the clicked": (
        "select case when (select sum(clicked) from report.live_monitoring) ="
        " (select count(*) from report.email_activity where is_clicked) then"
        " (select count(*) from report.email_activity where is_unsubscribed and is_clicked and clicked_at is null) end"
    ),
    "Live Monitoring: marked spam": live("marked_spam"),
    "Live Monitoring: marked unsubscribed": live("marked_unsubscribed"),
    "Live Monitoring: X, not delivered": live("not_delivered"),
    "Live Monitoring: X, in gateway": live("in_gateway"),
    "In Progress: queued": live("in_progress_queued"),
    "In Progress: about to be sent": live("in_progress_about_to_be_sent"),
    **{f"Not Sent: {category}": live(f"not_sent_{category}") for category in NOT_SENT_REASONS},
    **{
        f"Not Sent: {category}: {reason}": not_sent(category, reason)
        for category, found in NOT_SENT_REASONS.items()
        for reason in found
    },
}
