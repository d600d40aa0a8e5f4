"""`reasons test` and `reasons list`, without a database."""

import json
from pathlib import Path

import pytest

from tests.waybill.cli.commands import Answer, waybill
from waybill.feeds import FEEDS
from waybill.feeds.failure_rules import RULES

PROVIDERS_WITH_RULES = sorted({rule.provider for rule in RULES} - {"*"})
REPORTING = [slug for slug in FEEDS if slug != "dispatch_log"]
UNREACHABLE = {"WAREHOUSE_URL": "postgresql://nowhere.invalid/x"}
RECORDS = (
    {"provider": "sendgrid", "provider_code": "bounce/", "status_code": "5.1.1", "text": "550 <ann@example.com> gone"},
    {"provider": "sendgrid", "provider_event": "dropped", "text": "Bounced Address"},
    {"provider": "twilio", "provider_code": 30007, "text": "user unknown"},
    {"feed": "twilio_calls"},
    {"provider": "ses", "provider_code": "Transient/MailboxFull"},
    {"provider": "aws_sms", "provider_code": "TEXT_BLOCKED"},
    {"text": "550 5.2.2 no"},
)
FOUND = [
    ("sendgrid", "invalid", "address_not_found", "status"),
    ("sendgrid", "gateway_suppressed", "prior_bounce", "words"),
    ("twilio", "blocked", "carrier_filtered", "code"),
    ("twilio", "unknown", "unclassified", None),
    ("ses", "soft_bounce", "mailbox_full", "code"),
    ("aws_sms", "blocked", "recipient_blocked", "code"),
    ("*", None, "mailbox_full", "status in text"),
]


def tried(tmp_path: Path, content: str | bytes, *options: str, name: str = "failures.ndjson") -> Answer:
    """Returns the answer of `reasons test` for a file with this content."""
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return waybill("reasons", "test", str(path), *options, settings=UNREACHABLE)


def lines(*records: dict) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def results(answer: Answer) -> list[tuple]:
    rows = json.loads(answer.out)
    return [(row["provider"], row["failure_class"], row["failure_reason"], row["rule_kind"]) for row in rows]


def test_each_failure_gets_the_class_of_its_feed_a_reason_and_a_rule(tmp_path: Path) -> None:
    answer = tried(tmp_path, lines(*RECORDS), "--json")
    assert answer.code == 0
    assert results(answer) == FOUND
    first, *rest = json.loads(answer.out)
    assert (first["line"], first["text"], first["is_as_expected"]) == (1, "550 <recipient> gone", None)
    assert RULES[first["rule"] - 1].pattern == "x.1.1"
    assert answer.err == "7 failures by rules version 5.\n"
    shown = tried(tmp_path, lines(*RECORDS))
    assert shown.out.splitlines()[0].split() == [
        *("line", "provider", "code", "status", "text", "class", "reason", "rule", "kind")
    ]
    assert "ann@" not in shown.out + shown.err and len(rest) == 6


def test_csv_and_plain_text_are_read(tmp_path: Path) -> None:
    csv = 'provider, provider_code ,text\r\nsendgrid,bounce/,"552 full, sorry"\r\ntwilio,30003,\r\n'
    expected = [
        ("sendgrid", "soft_bounce", "mailbox_full", "words"),
        ("twilio", "soft_bounce", "handset_unreachable", "code"),
    ]
    assert results(tried(tmp_path, csv, "--json", name="failures.csv")) == expected
    assert results(tried(tmp_path, "\ufeff" + csv, "--json", name="any")) == expected
    texts = "550 user unknown\r\n\r\n452 mailbox full\n"
    assert results(tried(tmp_path, texts, "--json", name="any")) == [
        ("*", None, "address_not_found", "words"),
        ("*", None, "mailbox_full", "words"),
    ]
    answer = tried(tmp_path, texts, "--json", "--provider", "sendgrid", name="any")
    assert [row["failure_class"] for row in json.loads(answer.out)] == ["invalid", "soft_bounce"]
    assert [row["line"] for row in json.loads(answer.out)] == [1, 3]


def test_an_unexpected_result_is_exit_code_5(tmp_path: Path) -> None:
    good = RECORDS[0] | {"expected_class": "invalid", "expected_reason": "address_not_found"}
    answer = tried(tmp_path, lines(good, RECORDS[1] | {"expected_reason": "prior_bounce"}, RECORDS[2]))
    assert (answer.code, answer.err) == (0, "3 failures by rules version 5; 2 of 2 as expected.\n")
    assert answer.out.splitlines()[2].endswith("yes")
    wrong = (RECORDS[2] | {"expected_reason": "expired"}, RECORDS[1] | {"expected_class": "invalid"})
    answer = tried(tmp_path, lines(good, *wrong))
    assert answer.code == 5
    assert "2 of 3 have another result than expected: line 2, 3." in answer.err
    assert [line.split("no: ")[-1] for line in answer.out.splitlines()[3:]] == ["expired", "invalid"]
    answer = tried(tmp_path, lines(good, *wrong), "--json")
    assert [row["is_as_expected"] for row in json.loads(answer.out)] == [True, False, False]


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        ("\n \n", "a.txt", "has no line"),
        ('{"text": "x"}\n{"txt": "x"}\n', "a.txt", "line 2: Object contains unknown field `txt`. Keys: feed, provider"),
        ('{"text": 5}\n', "a.txt", "line 1: Expected `str | null`, got `int`"),
        ('{"text": "x"}\nplain\n', "a.txt", "line 2: not a JSON object, but the first line is one"),
        ("provider,txt\nsendgrid,x\n", "a.csv", "there is no column 'txt'. Columns: feed, provider"),
        ("provider,text\nsendgrid,x,y\n", "a.txt", "line 2: more values than columns"),
        ("provider,text\nsendgrid," + "x" * 200_000, "a.txt", "after line 1: not CSV: field larger than field limit"),
        (b"caf\xe9\n", "a.txt", "not UTF-8 at byte 3"),
        (
            lines({"provider": "pigeons"}),
            "a.txt",
            f"line 1: there is no rule for a provider 'pigeons'. Providers: {', '.join(PROVIDERS_WITH_RULES)}.",
        ),
        (
            lines({"feed": "dispatch_log"}),
            "a.txt",
            f"no feed 'dispatch_log' reports failures. Feeds: {', '.join(REPORTING)}.",
        ),
        (
            lines({"provider": "sendgrid", "provider_event": "open"}),
            "a.txt",
            "'open' is not a failure of sendgrid_events",
        ),
        (lines({"text": "x", "expected_reason": "sad"}), "a.txt", "line 1: 'sad' is not one of address_malformed,"),
        (lines({"text": "x", "expected_class": "invalid"}), "a.txt", "line 1 expects a class, but no feed of *"),
    ],
)
def test_an_unreadable_line_is_named(tmp_path: Path, content: str | bytes, name: str, message: str) -> None:
    answer = tried(tmp_path, content, name=name)
    assert (answer.code, answer.out) == (2, "")
    assert message in answer.err


def test_an_unknown_provider_or_a_missing_file_is_a_usage_error(tmp_path: Path) -> None:
    answer = tried(tmp_path, "x\n", "--provider", "pigeons")
    assert (answer.code, "--provider: there is no rule for a provider 'pigeons'" in answer.err) == (2, True)
    answer = waybill("reasons", "test", str(tmp_path / "nothing"), settings=UNREACHABLE)
    assert (answer.code, "no such file" in answer.err) == (2, True)


def test_the_rules_are_listed_in_order() -> None:
    answer = waybill("reasons", "list", "--json", settings=UNREACHABLE)
    rows = json.loads(answer.out)
    assert [row["number"] for row in rows] == list(range(1, len(RULES) + 1))
    first = next(row for row in rows if row["provider"] == "sendgrid")
    assert first == {
        "number": first["number"], "kind": "code", "provider": "sendgrid", "pattern": "expired/*", "reason": "expired"
    }  # fmt: skip
    shown = waybill("reasons", "list", settings=UNREACHABLE).out.splitlines()
    assert shown[0] == "Rules version 5" and len(shown) == len(RULES) + 3
    assert max(map(len, shown)) <= 120
