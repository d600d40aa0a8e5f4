"""The reports: their names, grains and measures. One SQL file each in sql/reports; the tables are in sql/schema."""

from dataclasses import dataclass
from functools import cache

from waybill.installed_files import SQL
from waybill.model.bounds import LONGEST_KEY_BYTES
from waybill.model.errors import UsageError
from waybill.reports.detail_views import DETAIL_VIEWS

CONTROL = "control"
"""The candidate that holds the independent counts; never published."""


@dataclass(frozen=True)
class Report:
    """One report.

    :ivar grain: the columns that tell its rows apart; the first is the local day by which it is rebuilt
    :ivar measures: the other columns, in order
    :ivar is_built: a table that builds write; else a view
    :ivar is_live: a view that follows every load
    :ivar is_detail: a view with one row per message
    """

    name: str
    grain: tuple[str, ...]
    measures: tuple[str, ...]
    is_built: bool = True
    is_live: bool = False
    is_detail: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        return self.grain + self.measures

    @property
    def counts(self) -> tuple[str, ...]:
        """The measures that follow from what was loaded, whenever that was."""
        return tuple(measure for measure in self.measures if not measure.endswith("_as_of"))

    @property
    def table(self) -> str:
        return f"report.{self.name}"

    @property
    def day_column(self) -> str | None:
        """The local day that `show` can restrict, None where the report has none."""
        if self.is_detail:
            return "sent_day"
        return self.grain[0] if self.is_built else None

    @property
    def columns_of_a_table(self) -> tuple[str, ...]:
        """The columns that people see: a timeline is for programs, or for one message alone."""
        return tuple(column for column in self.columns if column != "timeline")

    @property
    def order(self) -> tuple[str, ...]:
        """The columns by which `show` sorts: messages by time, those that were never sent last."""
        return ("sent_at", *self.grain) if self.is_detail else self.grain


_BY_CAMPAIGN = ("account", "campaign_id", "channel")
_BY_SENT_DAY_AND_COUNTRY = ("sent_day", "account", "provider", "campaign_id", "country")
_BY_EVENT_DAY_AND_MAILBOX = ("event_day", "account", "provider", "campaign_id", "mailbox_provider")

REPORTS: tuple[Report, ...] = (
    Report(
        "email_engagement_daily",
        _BY_EVENT_DAY_AND_MAILBOX,
        (
            "open_count",
            "machine_open_count",
            "unique_open_count",
            "unique_human_open_count",
            "click_count",
            "machine_click_count",
            "unique_click_count",
            "unsubscribe_count",
            "suspected_machine_open_count",
            "suspected_machine_click_count",
        ),
    ),
    Report(
        "email_deliverability_daily",
        _BY_EVENT_DAY_AND_MAILBOX,
        (
            "processed_count",
            "deferred_count",
            "delivered_count",
            "spam_report_count",
            "hard_bounce_count",
            "soft_bounce_count",
            "bounced_count",
            "blocked_count",
            "invalid_count",
            "gateway_suppressed_count",
            "unclassified_count",
            "dropped_count",
        ),
    ),
    Report(
        "email_failure_reason_daily",
        (*_BY_EVENT_DAY_AND_MAILBOX, "failure_class", "failure_reason"),
        ("leg_count",),
    ),
    Report(
        "email_campaign",
        ("sent_day", "account", "provider", "campaign_id", "template_id", "mailbox_provider"),
        (
            "sent",
            "delivered",
            "bounced_hard",
            "bounced_soft",
            "blocked",
            "invalid",
            "not_delivered",
            "in_gateway",
            "opened",
            "opened_human",
            "clicked",
            "clicked_human",
            "spam_reported",
            "unsubscribed",
            "delivery_rate",
            "bounce_rate",
            "open_rate",
            "click_rate",
            "spam_rate",
            "unsubscribe_rate",
            "click_to_open_rate",
        ),
    ),
    Report(
        "email_link",
        ("sent_day", "account", "campaign_id", "url"),
        ("click_count", "unique_click_count", "unique_human_click_count"),
    ),
    Report(
        "sms_activity_daily",
        _BY_SENT_DAY_AND_COUNTRY,
        ("sent", "delivered", "undelivered", "in_gateway", "segments"),
    ),
    Report(
        "sms_failure_reason_daily",
        (*_BY_SENT_DAY_AND_COUNTRY, "failure_class", "failure_reason", "provider_code"),
        ("message_count",),
    ),
    Report(
        "ivr_activity_daily",
        _BY_SENT_DAY_AND_COUNTRY,
        (
            "sent",
            "completed",
            "no_answer",
            "failed",
            "in_gateway",
            "busy",
            "canceled",
            "human",
            "machine",
            "duration_seconds",
        ),
    ),
    Report(
        "message_cost_daily",
        ("sent_day", "account", "channel", "provider", "campaign_id", "country", "currency"),
        ("priced_leg_count", "cost"),
    ),
    Report(
        "communication_activity_daily",
        ("event_day", "account", "channel", "event_status"),
        ("message_count",),
    ),
    Report(
        "delivery_latency_daily",
        ("sent_day", "account", "channel", "provider", "mailbox_provider"),
        (
            "delivery_count",
            "delivery_p50_seconds",
            "delivery_p90_seconds",
            "delivery_p99_seconds",
            "human_open_count",
            "human_open_p50_seconds",
            "human_open_p90_seconds",
            "human_open_p99_seconds",
        ),
    ),
    Report(
        "live_monitoring",
        _BY_CAMPAIGN,
        (
            "targeted",
            "sent",
            "delivered",
            "bounced_hard",
            "bounced_soft",
            "not_delivered",
            "in_gateway",
            "opened",
            "clicked",
            "marked_spam",
            "marked_unsubscribed",
            "not_sent",
            "not_sent_internally_suppressed",
            "not_sent_incomplete_or_invalid",
            "not_sent_system_error",
            "not_sent_other",
            "in_progress_queued",
            "in_progress_about_to_be_sent",
            "delivery_as_of",
            "engagement_as_of",
        ),
        is_built=False,
        is_live=True,
    ),
    Report(
        "live_monitoring_reason",
        (*_BY_CAMPAIGN, "category", "reason"),
        ("message_count",),
        is_built=False,
        is_live=True,
    ),
    Report(
        "build",
        ("build_id",),
        ("started_at", "as_of", "report_timezone", "days_built", "rows_changed", "code_version"),
        is_built=False,
    ),
    Report(
        "freshness",
        ("account", "feed"),
        (
            "complete_until",
            "last_loaded_at",
            "last_event_at",
            "unattributed_count",
            "rejected_count",
            "unknown_count",
            "stale_reason",
            "handed_over_count",
            "handed_over_unseen_count",
            "gateway_message_count",
            "gateway_message_undispatched_count",
        ),
        is_built=False,
    ),
    *(
        Report(name, ("message_key",), columns, is_built=False, is_detail=True)
        for name, columns in DETAIL_VIEWS.items()
    ),
)

BUILT: tuple[Report, ...] = tuple(report for report in REPORTS if report.is_built)
COUNTED: tuple[Report, ...] = tuple(report for report in REPORTS if report.is_built or report.is_live)
"""The reports whose counts follow from what was loaded, and from nothing else."""


def find(name: str) -> Report:
    """The report of that name. Raises UsageError with the names there are."""
    for report in REPORTS:
        if report.name == name:
            return report
    names = ", ".join(report.name for report in REPORTS)
    raise UsageError(f"There is no report {name!r}. Reports: {names}.")


@cache
def statement(name: str) -> str:
    """The SELECT of a report (or of CONTROL), with parameters `days` and `report_timezone`."""
    return (SQL / "reports" / f"{name}.sql").read_text()


@cache
def bounded_statement(name: str) -> str:
    """The same, with texts of the key that no index could take cut, and told apart by a digest at their end: what an
    older release loaded must not stop a build."""
    report = next((report for report in BUILT if report.name == name), None)
    if report is None or not LONGEST_KEY_BYTES.keys() & set(report.grain):
        return statement(name)
    columns = ", ".join(_bounded(column) if column in report.grain else column for column in report.columns)
    return f"select {columns} from (\n{statement(name)}\n) as report"


def _bounded(column: str) -> str:
    longest = LONGEST_KEY_BYTES.get(column)
    if longest is None:
        return column
    kept = longest // 4 - 40  # of four bytes each at most, and room for the digest
    cut = f"left({column}, {kept}) || '…' || md5({column})"
    return f"case when octet_length({column}) > {longest} then {cut} else {column} end as {column}"
