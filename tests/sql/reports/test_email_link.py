"""email_link: what its SELECT makes of facts, and the rows that its suite passes and refuses."""

from tests.conftest import Warehouse
from tests.sql.reports.selected import D3, rows
from tests.sql.reports.suite import D1, D2, RECOUNTED, Suite, counted, row
from tests.waybill.reports.facts import Facts, at

LINK = {"url": "https://acme.example/offer"}

SUITE = Suite(
    (
        row("email_link", **LINK, click_count=5, unique_click_count=3, unique_human_click_count=2),
        row("email_link", sent_day=D2, **LINK, click_count=1, unique_click_count=1),
    ),
    control=(
        RECOUNTED,
        counted("clicked_of_message", D1, 5),
        counted("clicked_of_message", D2, 1),
        counted("clicked", D1, 99),
    ),
    others={
        "email_campaign": (
            row("email_campaign", clicked=2, clicked_human=2, unsubscribed=0),
            row("email_campaign", provider="y", clicked=2, clicked_human=1, unsubscribed=1),
            row("email_campaign", sent_day=D2, clicked=1),
            row("email_campaign", sent_day=D2, account="y", clicked=1, clicked_human=1, unsubscribed=1),
        )
    },
    bad={
        "dimensions_present": [{"url": None}],
        "parts_within_totals": [{"unique_human_click_count": 4}, {"click_count": 2}],
        "url_without_query": [
            {"url": "https://acme.example/?u=1"},
            {"url": "https://acme.example/#top"},
            {"url": ""},
            {"url": "u" * 501},
        ],
        "messages_match_campaign": [
            {"unique_click_count": 5},
            {"unique_click_count": 2},
            {"unique_human_click_count": 1},
            {"campaign_id": "y"},
            {"sent_day": D2, "url": "https://acme.example/news"},
        ],
        "clicks_match_events": [{"click_count": 4}, {"click_count": 6}],
    },
    added={
        "clicks_counted": [row("email_link", account="y")],
    },
    also={
        "dimensions_present": {"url_without_query"},
        "parts_within_totals": {"messages_match_campaign", "clicks_match_events"},
    },
)


def test_email_link(warehouse: Warehouse, facts: Facts) -> None:
    days, offer, news = ["2026-03-02", "2026-03-03"], "https://acme.example/offer", "https://acme.example/news"
    # Sent by two gateways, and clicked at both, on both days, by a machine and by a person.
    facts.message("a", "email", days, campaign_id="spring", is_clicked=True, is_clicked_human=True)
    facts.leg("a", "email", first_clicked_at=at("2026-03-02 10:00"), engaged_days=[D1])
    facts.leg(
        "a", "email", name="a2", provider="mailgun", first_clicked_at=at("2026-03-03 10:00"), engaged_days=[D1, D2]
    )
    facts.event("a", "clicked", at("2026-03-02 10:00"), url=f"{offer}?u=1#top", is_machine=True)
    facts.event("a2", "clicked", at("2026-03-03 10:00"), url=f"{offer}#top?u=1", is_machine=False)
    facts.event("a2", "clicked", at("2026-03-03 11:00"), url=news, is_machine=True)
    facts.event("a2", "opened", at("2026-03-03 11:00"), url=news)
    facts.message("b", "email", days[:1], campaign_id="spring", is_clicked=True)
    facts.leg("b", "email", first_clicked_at=at("2026-03-02 10:00"), engaged_days=[D1])
    facts.event("b", "clicked", at("2026-03-02 10:00"), url=news, is_machine=True)
    facts.message("c", "email", days[1:], is_clicked=True)
    facts.leg("c", "email", first_clicked_at=at("2026-03-03 10:00"), engaged_days=[D2])
    for number, url in enumerate((None, "?u=1", "", "https://acme.example/" + "ü" * 500)):
        facts.event("c", "clicked", at(f"2026-03-03 1{number}:00"), url=url)
    # not counted: an unsubscribe without a click; a click without a leg
    facts.message("d", "email", days, is_clicked=True, is_unsubscribed=True)
    facts.leg("d", "email", engaged_days=[D1])
    facts.event("d", "unsubscribed", at("2026-03-02 10:00"), url=news)
    facts.event(None, "clicked", at("2026-03-02 10:00"), url=news)
    spring = {"sent_day": D1, "account": "acme", "campaign_id": "spring"}
    none = {"sent_day": D2, "account": "acme", "campaign_id": "(none)", "unique_click_count": 1}
    expected = [
        {**spring, "url": news, "click_count": 2, "unique_click_count": 2},
        {**spring, "url": offer, "click_count": 2, "unique_click_count": 1, "unique_human_click_count": 1},
        {**none, "url": "(none)", "click_count": 3, "unique_human_click_count": 1},
        {
            **none,
            "url": "https://acme.example/" + "ü" * (500 - len("https://acme.example/")),
            "click_count": 1,
            "unique_human_click_count": 1,
        },
    ]
    assert rows(warehouse, "email_link") == expected
    # Clicks count on the day of sending, also a click of the day after.
    assert rows(warehouse, "email_link", [D1]) == expected[:2]
    assert rows(warehouse, "email_link", [D2, D3]) == expected[2:]
