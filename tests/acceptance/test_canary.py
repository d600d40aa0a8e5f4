"""Only private.recipient and the bytes of rejected records contain addresses and numbers of people.

The canaries are in all fields where a provider or the campaign system could put one, in all spellings. The test
searches all columns of all tables, all logs at DEBUG of Waybill and of the libraries, and the output of commands.
"""

import json
import logging
import re
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from urllib.parse import quote, unquote_plus

import pyarrow
import pytest
from psycopg2 import sql
from pyarrow import parquet

from tests.acceptance.warehouses import build
from tests.conftest import Warehouse
from tests.waybill.cli.commands import Answer, environment_of, waybill
from waybill.flow import rebuild as builds
from waybill.flow import steps as loads
from waybill.model.redaction import Redactor
from waybill.quality import gate, suites

CANARIES = tuple(f"qzcanary{word}" for word in ("own", "other", "third", "fourth"))
OWN, OTHER, THIRD, FOURTH = (f"Qzcanary{name[8:].title()}@Nest.Example" for name in CANARIES)
NUMBER, OTHER_NUMBER = "+49 (1512) 887-7431", "+442071838750"
PLAIN = "+4915128877431"
DIGITS = ("4915128877431", "442071838750")
LEAKS = re.compile("|".join((*CANARIES, *DIGITS, "15128877431", "2071838750")), re.IGNORECASE)
HEXADECIMAL = re.compile(
    "|".join(
        text.encode().hex()
        for name in (*CANARIES, *DIGITS)
        for text in (name, name.upper(), f"Qzcanary{name[8:].title()}")
    ),
    re.IGNORECASE,
)
CLEAR = {
    "private.recipient": ("address",),
    "private.rejected_record": ("raw",),
    # as the owner sees them; a BI reader sees them through the views of schema report
    "private.message_with_recipient": ("recipient",),
    "private.message_detail": ("recipient",),
}
"""The only columns that may contain clear addresses; they are searched separately."""


def encoded(text: str) -> str:
    return quote(text, safe="")


def spellings(address: str) -> str:
    """Return one text with an address in all spellings of logs."""
    once = encoded(address)
    ways = (
        address,
        address.upper(),
        address.lower(),
        f"<{address}>",
        f'"{address}"',
        f"'{address}'",
        f"mailto:{address}",
        once,
        once.lower(),
        encoded(once),
        encoded(encoded(once)),
        "".join(f"%{byte:02X}" for byte in address.encode()),
        address.replace("@", "%40"),
        f"x={address};",
        f"{address}.",
        f"\t{address}\n",
    )
    return " | ".join(ways)


def numbers(*, own: bool = False) -> str:
    """Return two numbers in all spellings that are found; the record's own also without its plus."""
    ways = (NUMBER, PLAIN, encoded(PLAIN), encoded(encoded(PLAIN)), OTHER_NUMBER, encoded(OTHER_NUMBER))
    return " | ".join((*ways, DIGITS[0]) if own else ways)


EVERYONE = " ".join(map(spellings, (OWN, OTHER, THIRD, FOURTH)))


def sendgrid_events() -> bytes:
    """Return events of all kinds with addresses in all fields."""
    records = []
    words = ("processed", "deferred", "delivered", "bounce", "dropped", "open", "click", "spamreport", "unsubscribe")
    for number, word in enumerate((*words, "group_unsubscribe", "group_resubscribe", "new_word")):
        record = {
            "email": (OWN, OWN.upper(), f"  {OWN.lower()} ")[number % 3],
            "timestamp": 1772442851 + number,
            "event": word,
            "sg_event_id": f"e-{OWN}-{number}",
            "sg_message_id": f"m{number}-{OTHER}.recvd",
            "smtp-id": f"<s{number}.{OTHER}@host>",
            "category": [OWN, f"to {OTHER}", encoded(THIRD)],
            "campaign_id": f"c {OWN if number % 2 else encoded(OTHER)}",
            "dispatch_id": OTHER if number % 2 else OWN,
            "template_id": f"t-{THIRD}",
            "reason": EVERYONE,
            "response": EVERYONE,
            "status": f"5.1.1 {OTHER}",
            "type": f"bounce {OTHER}",
            "bounce_classification": f"Invalid {OTHER}",
            "ip": f"1.2.3.4 {OTHER}",
            "useragent": f"Mozilla {EVERYONE}",
            "url": f"https://shop.example/{quote(OWN)}?a={encoded(encoded(OTHER))}&b={THIRD}#{FOURTH}",
            "url_offset": {"index": 0, "type": EVERYONE},
            "asm_group_id": OTHER,
            "singlesend_id": OTHER,
            "singlesend_name": EVERYONE,
            "sg_template_id": f"d-{OTHER}",
            "marketing_campaign_id": OTHER,
            "pool": {"name": OWN, "deep": [{OTHER: [THIRD, {"er": EVERYONE}]}]},
            OWN: "an argument named by an address",
            spellings(OTHER): 1,
            "customer_email": FOURTH,
            "phone": OTHER_NUMBER,
        }
        records.append(record)
    records.append({"email": OWN, "timestamp": 1772442900, "event": "open", "category": OTHER, "sg_message_id": OWN})
    return json.dumps(records).encode()


def poisonous_lines() -> bytes:
    """Return records full of addresses that are rejected, each for another reason."""
    records = (
        {"email": OWN, "timestamp": EVERYONE, "event": "open"},
        {"email": [OWN], "timestamp": 1772442851, "event": "open"},
        {"email": {OWN: OTHER}, "timestamp": 1772442851, "event": "open"},
        {"email": OWN, "timestamp": 1772442851, "event": {"x": OWN}},
        {"email": OWN, "timestamp": 1772442851},
        {"email": OWN, "event": OTHER},
        {"email": OWN, "timestamp": 99, "event": OTHER},
        {"email": OWN, "timestamp": 4_000_000_000, "event": OTHER},
        {"email": OWN.replace("@", " at "), "timestamp": 1772442851, "event": "open"},
        {"email": OWN, "timestamp": 1772442851, "event": "open", "deep": _nested(OWN, 90)},
    )
    lines = [json.dumps(record).encode() for record in records]
    return b"\n".join((*lines, EVERYONE.encode(), json.dumps(OWN).encode(), b'{"email":"' + OWN.encode(), b""))


def _nested(value: object, depth: int) -> object:
    for _ in range(depth):
        value = {OTHER: value}
    return value


def twilio_messages() -> bytes:
    rows = []
    said, own = f"{EVERYONE} {numbers(own=True)}", numbers(own=True)
    for number, status in enumerate(("undelivered", "delivered", "new-status", "read", "queued")):
        rows.append(
            {
                "sid": f"SM{number}",
                "account_sid": f"AC {OTHER_NUMBER}",
                "status": status,
                "direction": "outbound-api",
                "to": (NUMBER, "+4915128877431", f"whatsapp:{NUMBER}")[number % 3],
                "from": OTHER_NUMBER,
                "body": said,
                "date_created": "Mon, 02 Mar 2026 09:15:00 +0000",
                "date_sent": "Mon, 02 Mar 2026 09:15:01 +0000",
                "date_updated": "Mon, 02 Mar 2026 09:15:09 +0000",
                "error_code": 30005 if status == "undelivered" else None,
                "error_message": said,
                "num_segments": "1",
                "price": "-0.0079",
                "price_unit": f"usd {OTHER}",
                "messaging_service_sid": f"MG {own}",
                "num_media": own,
                "new_field": {own: [EVERYONE, own]},
                own: 1,
                "uri": f"/2010-04-01/{numbers()}.json",
            }
        )
    mistimed = {"sid": own, "status": "sent", "to": NUMBER, "date_created": own}
    poison = [mistimed, {"to": NUMBER}, own, [EVERYONE]]
    return json.dumps({"messages": rows + poison, "next_page_uri": numbers()}).encode()


def twilio_calls() -> bytes:
    said, own = f"{EVERYONE} {numbers(own=True)}", numbers(own=True)
    rows = [
        {
            "sid": f"CA{status}",
            "account_sid": OTHER_NUMBER,
            "status": status,
            "direction": "outbound-api",
            "to": NUMBER,
            "to_formatted": "(1512) 887-7431",
            "from": OTHER_NUMBER,
            "from_formatted": "+44 20 7183 8750",
            "caller_name": OWN,
            "forwarded_from": OTHER_NUMBER,
            "date_created": "Mon, 02 Mar 2026 09:15:00 +0000",
            "date_updated": "Mon, 02 Mar 2026 09:16:00 +0000",
            "duration": "5",
            "answered_by": f"human {own}",
            "group_sid": own,
            "trunk_sid": EVERYONE,
            "annotation": said,
        }
        for status in ("completed", "busy", f"strange {OWN}")
    ]
    to_sip = {name: value for name, value in rows[0].items() if value not in (said, own, f"human {own}")}
    to_sip |= {"sid": "CA-sip", "to": f"sip:{OWN};transport=tls", "annotation": EVERYONE}
    return json.dumps({"calls": [*rows, to_sip]}).encode()


def dispatch_rows() -> list[dict[str, object]]:
    base = {
        "occurred_at": "2026-03-02T09:00:00Z",
        "campaign_id": OTHER,
        "template_id": f"{PLAIN} {encoded(PLAIN)} {OTHER_NUMBER}",  # ids: numbers as E.164 writes them
        "segment": EVERYONE,
        OWN: numbers(),
    }
    return [
        {**base, "dispatch_id": OWN, "channel": "email", "status": "handed_over", "recipient": OWN.upper(),
         "provider": "sendgrid", "provider_message_id": f"m2-{OTHER}.recvd"},
        {**base, "dispatch_id": OTHER, "channel": "email", "status": "handed_over", "recipient": OWN,
         "provider": f"pigeons of {OTHER}", "provider_message_id": encoded(OWN)},
        {**base, "dispatch_id": NUMBER, "channel": "sms", "status": "not_sent", "recipient": NUMBER,
         "reason": f"{EVERYONE} {numbers(own=True)}"},
        {**base, "dispatch_id": "d3", "channel": "ivr", "status": "queued", "recipient": "004915128877431",
         "reason": numbers()},
        {**base, "dispatch_id": OWN, "channel": OTHER, "status": "queued"},
        {**base, "dispatch_id": OWN, "channel": "email", "status": EVERYONE},
        {**base, "dispatch_id": OWN, "channel": "email", "status": "queued", "occurred_at": OWN},
        {**base, "dispatch_id": OWN, "channel": "sms", "status": "queued", "recipient": OWN},
    ]  # fmt: skip


def dispatch_files() -> Iterator[bytes]:
    rows = dispatch_rows()
    yield "".join(json.dumps(row) + "\n" for row in rows).encode()
    columns = sorted({name for row in rows for name in row})
    quoted = [[str(row.get(name, "")).replace('"', '""') for name in columns] for row in rows]
    header = ",".join(f'"{name}"' for name in columns)
    body = "\n".join(",".join(f'"{cell}"' for cell in row) for row in quoted)
    yield f'{header}\n{body}\n"{OWN}",{OTHER}\n"{OWN}" {EVERYONE.replace(chr(34), "")}\n'.encode()
    sink = pyarrow.BufferOutputStream()
    cells = {name: [None if row.get(name) is None else str(row[name]) for row in rows] for name in columns}
    parquet.write_table(pyarrow.table(cells), sink)
    yield sink.getvalue().to_pybytes()


FILES = (
    ("sendgrid_events", sendgrid_events()),
    ("sendgrid_events", poisonous_lines()),
    ("twilio_messages", twilio_messages()),
    ("twilio_calls", twilio_calls()),
    *(("dispatch_log", data) for data in dispatch_files()),
)


def found_in(text: str) -> list[str]:
    """Return all canaries in a text, in any spelling, with the text around them."""
    readings = [text]
    for _ in range(3):
        readings.append(unquote_plus(readings[-1].replace("+", "%2B")))
    readings.append(re.sub(r"(?<=\d)[ ()\-/]+(?=\d)", "", re.sub(r"[()]", "", text)))
    patterns = [(LEAKS, reading) for reading in readings] + [(HEXADECIMAL, text)]
    return [
        reading[max(0, match.start() - 60) : match.end() + 40]
        for pattern, reading in patterns
        for match in pattern.finditer(reading)
    ][:5]


def texts(warehouse: Warehouse) -> dict[str, str]:
    """Return the rows of all tables and views of Waybill as JSON, CLEAR columns under their own names. Schema report is
    read as a BI reader."""
    contents = {}
    connection = warehouse.connect()
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "select table_schema, table_name from information_schema.tables"
            " where table_schema not in ('pg_catalog', 'information_schema') and table_schema not like 'pg_temp%'"
        )
        for schema, table in cursor.fetchall():
            name = f"{schema}.{table}"
            clear = CLEAR.get(name, ())
            cursor.execute("set local role " + ("waybill_bi_reader" if schema == "report" else "none"))
            rows = sql.SQL("select coalesce(string_agg((to_jsonb(t) - %s)::text, E'\\n'), '') from {} as t")
            cursor.execute(rows.format(sql.Identifier(schema, table)), (list(clear),))
            contents[name] = cursor.fetchone()[0]
            for column in clear:
                values = sql.SQL("select coalesce(string_agg(t.{}::text, E'\\n'), '') from {} as t")
                cursor.execute(values.format(sql.Identifier(column), sql.Identifier(schema, table)))
                contents[f"{name}.{column}"] = cursor.fetchone()[0]
    connection.close()
    return contents


def leaks(contents: dict[str, str]) -> dict[str, list[str]]:
    allowed = {f"{table}.{column}" for table, columns in CLEAR.items() for column in columns}
    return {name: found for name, text in contents.items() if name not in allowed and (found := found_in(text))}


@pytest.fixture
def log() -> Iterator[StringIO]:
    """All log records at DEBUG."""
    gate._library()  # sets its own levels
    stream = StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(name)s %(message)s %(args)s"))
    names = ("great_expectations", "great_expectations.data_context.types.base", "sqlalchemy", "psycopg2", "waybill")
    loggers = [logging.getLogger(), *map(logging.getLogger, names)]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    logging.getLogger().addHandler(handler)
    yield stream
    logging.getLogger().removeHandler(handler)
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


def load_everything(warehouse: Warehouse, tmp_path: Path) -> list[Answer]:
    settings = environment_of(warehouse, REJECTED_CEILING="1")
    answers = []
    for number, (feed, data) in enumerate(FILES):
        file = tmp_path / f"file-{number}"
        file.write_bytes(data)
        answers.append(waybill("load", feed, str(file), "--account", "acme", settings=settings))
        assert answers[-1].code == 0, answers[-1].err
    return answers


def test_only_permitted_columns_contain_addresses(warehouse: Warehouse, tmp_path: Path, log: StringIO) -> None:
    server_log = Path(warehouse.rows("show data_directory")[0][0]) / "log"
    said_before = server_log.stat().st_size
    answers = load_everything(warehouse, tmp_path)
    build(warehouse.url)
    settings = environment_of(warehouse)
    answers += [
        waybill(*arguments, settings=settings)
        for arguments in (
            ["status"],
            ["status", "--json"],
            ["doctor"],
            ["report", "rebuild", "--full"],
            ["report", "show", "email_campaign", "--format", "csv"],
            ["replay", "sendgrid_events", "--from", "2026-03-01", "--until", "2026-04-01"],
            ["replay", "dispatch_log", "--from", "2026-03-01", "--until", "2026-04-01"],
        )
    ]
    assert all(answer.code == 0 for answer in answers), answers

    contents = texts(warehouse)
    # The canaries were loaded, and the search finds them in the two permitted places ...
    assert found_in(contents["private.recipient.address"])
    assert "qzcanaryown@nest.example" in contents["private.recipient.address"]
    assert "+4915128877431" in contents["private.recipient.address"]
    assert found_in(contents["private.rejected_record.raw"])
    assert warehouse.rows("select count(*) from private.rejected_record")[0][0] >= 20
    # ... and the other data are in the facts and reports, without them.
    assert contents["fact.event"].count("<recipient>") > 200
    assert warehouse.rows("select count(distinct feed), count(*) from fact.event")[0] >= (4, 25)
    assert contents["report.email_activity"].count("***@") > 2 and "+49***31" in contents["report.sms_activity"]
    assert contents["report.email_campaign"] and contents["ops.validation"] and contents["report.freshness"]
    assert {"ops.load", "fact.leg", "fact.message", "ops.build"} <= contents.keys()
    assert leaks(contents) == {}

    logged = log.getvalue()
    assert "great_expectations" in logged and len(logged) > 10_000
    assert "sqlalchemy" in logged
    assert found_in(logged) == []
    assert found_in(server_log.read_bytes()[said_before:].decode(errors="replace")) == []
    assert found_in("\n".join(answer.out + answer.err for answer in answers)) == []
    assert not [file for file in (warehouse.settings.var / "landing").rglob("*.json") if found_in(file.read_text())]


def test_the_search_finds_every_spelling() -> None:
    for text in (*spellings(OWN).split(" | "), *numbers(own=True).split(" | "), OWN.encode().hex(), "+44 20 7183 8750"):
        assert found_in(f"something {text} something"), text
    assert found_in("nobody@nest.example, 4915128877432, <recipient>") == []


def test_unredacted_addresses_are_found_and_stopped(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without redaction the gate stops the load; also without the gate the search finds the addresses."""
    (tmp_path / "file").write_bytes(sendgrid_events())
    monkeypatch.setattr(Redactor, "_masked", lambda self, text: text)
    call = ("load", "sendgrid_events", str(tmp_path / "file"))
    answer = waybill(*call, settings=environment_of(warehouse))
    assert answer.code == 5 and "no_address_in_texts" in answer.err and "no_address_in_tags" in answer.err
    assert warehouse.rows("select count(*) from fact.event") == [(0,)]
    assert leaks(texts(warehouse)) == {} and found_in(answer.out + answer.err) == []
    monkeypatch.setattr(gate, "gate", lambda outcomes, about: None)
    assert waybill(*call, settings=environment_of(warehouse)).code == 0
    assert "fact.event" in leaks(texts(warehouse))


def test_an_account_in_the_dispatch_log_is_no_address(warehouse: Warehouse, tmp_path: Path) -> None:
    row = {"dispatch_id": "d", "occurred_at": "2026-03-02T09:00:00Z", "channel": "email", "status": "queued"}
    (tmp_path / "file").write_text(json.dumps({**row, "account": OWN}))
    settings = environment_of(warehouse, REJECTED_CEILING="1")
    assert waybill("load", "dispatch_log", str(tmp_path / "file"), settings=settings).code == 0
    assert leaks(texts(warehouse)) == {}


def test_a_failing_gate_and_a_crash_show_no_address(
    warehouse: Warehouse, tmp_path: Path, log: StringIO, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    settings = environment_of(warehouse, REJECTED_CEILING="1")
    answers: list[Answer] = []

    def load(feed: str, data: bytes, **more: str) -> Answer:
        file = tmp_path / f"file-{len(answers)}"
        file.write_bytes(data)
        answers.append(waybill("load", feed, str(file), settings={**settings, **more}))
        return answers[-1]

    # the ceiling
    noise = b"\n".join(f"{number} {EVERYONE}".encode() for number in range(30))
    assert load("sendgrid_events", noise, REJECTED_CEILING="0.05").code == 6

    # the gate: a rule that all rows break, and one that fails with a value in its error
    suite = (suites.EXPECTATIONS / "event_staging.sql").read_text()
    for name, query in (
        ("none", "select * from {batch}"),
        ("broken", "select provider_reason::integer from {batch}"),
        ("broken_by_key", "select encode(recipient_key, 'escape')::date from {batch}"),
    ):
        suite += (
            f"\n-- rule: {name}\n-- severity: critical\n-- description: {name} of them\n-- expect: no row\n{query}\n"
        )
    (tmp_path / "event_staging.sql").write_text(suite)
    with monkeypatch.context() as patched:
        patched.setattr(suites, "EXPECTATIONS", tmp_path)
        answer = load("sendgrid_events", sendgrid_events())
    assert answer.code == 5 and "event_staging.none" in answer.err and "event_staging.broken" in answer.err

    # a crash in Python and one in the database, each with an address in its arguments
    def crash(*_: object, **__: object) -> None:
        raise RuntimeError(f"while publishing for {OWN}")

    def crash_in_database(connection, *_: object, **__: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute("select %s::integer", (OWN,))

    for failing in (crash, crash_in_database):
        with monkeypatch.context() as patched:
            patched.setattr(loads, "publish", failing)
            answer = load("sendgrid_events", sendgrid_events())
        assert answer.code == 1 and "bug in Waybill" in answer.err

    # only the loader can read the staging tables of a dead load, until the next load drops them
    left = "select tablename from pg_tables where schemaname = 'staging' and tablename like '%_recipient'"
    assert warehouse.rows(left)
    for role in ("waybill_bi_reader", "waybill_support_reader", "waybill_reporter"):
        (readable,) = warehouse.rows(
            "select bool_or(has_table_privilege(%s, format('staging.%%I', tablename), 'select')) from pg_tables"
            " where schemaname = 'staging'",
            (role,),
        )
        assert readable == (False,), role
    assert load("twilio_messages", twilio_messages()).code == 0

    # a build that fails with an address in its arguments
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(f"while building for {OWN}")

    with monkeypatch.context() as patched:
        patched.setattr(builds, "apply_difference", fail)
        answers.append(waybill("report", "rebuild", settings=settings))
    assert answers[-1].code == 1
    answers += [waybill("status", settings=settings), waybill("doctor", settings=settings)]
    assert "stale" in answers[-1].out

    contents = texts(warehouse)
    assert contents["ops.validation"] and "could not be evaluated" not in contents["fact.event"]
    assert found_in(contents["private.rejected_record.raw"])
    assert leaks(contents) == {}
    assert found_in(log.getvalue()) == []
    captured = capsys.readouterr()
    said = "\n".join([answer.out + answer.err for answer in answers] + [captured.out, captured.err])
    assert "bug in Waybill" in said and found_in(said) == []
