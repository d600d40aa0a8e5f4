"""The output of commands: tables, progress, and control characters."""

import io
import sys
import time
from decimal import Decimal

import pytest

from waybill.cli import output
from waybill.cli.output import Progress, json_line, print_table, visible, without_control

STEERING = "\x1b[2J\x07\r\x9b31m\x7f\u202e"


def printed(capsys: pytest.CaptureFixture, *arguments: object, **options: object) -> list[str]:
    print_table(*arguments, **options)
    return capsys.readouterr().out.splitlines()


def test_control_characters_become_escapes() -> None:
    assert visible(f"a{STEERING}\nb") == "a\\x1b[2J\\x07\\r\\x9b31m\\x7f\\u202e\\nb"
    assert without_control(f"a{STEERING}\n\tb").startswith("a\\x1b[2J\\x07\\x0d\\x9b31m\\x7f")
    assert "\n\tb" in without_control("a\n\tb")
    line = json_line({"a": STEERING})
    assert line.isascii() or "\u202e" in line
    assert not any(c in line for c in "\x1b\x07\r\x9b\x7f")


def test_a_table_aligns_numbers_to_the_right(capsys: pytest.CaptureFixture) -> None:
    rows = [["a", 1, Decimal("0.50")], ["bcd", 1234, None]]
    assert printed(capsys, ["name", "count", "cost"], rows) == [
        "name  count  cost",
        "────  ─────  ────",
        "a         1  0.50",
        "bcd    1234",
    ]
    assert printed(capsys, ["name"], [], title="Feeds") == ["Feeds", "(none)"]


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120])
def test_a_wide_table_is_folded_and_loses_nothing(capsys: pytest.CaptureFixture, width: int) -> None:
    columns = ["sent_day", "campaign_id", *(f"very_long_measure_{n}_count" for n in range(20))]
    rows = [[f"2026-03-{n + 1:02}", f"campaign {n}", *(1000 * n + m for m in range(20))] for n in range(60)]
    lines = printed(capsys, columns, rows, width=width)
    assert max(map(len, lines)) <= width
    words = " ".join(lines).split()
    for n, row in enumerate(rows):
        assert row[0] in words
        assert all(str(value) in words for value in row[2:]), n
    # the lines of a row have its number in every block
    numbered = [line for line in lines if line.split()[:1] == ["7"]]
    assert numbered[0].split()[1:3] == ["2026-03-07", "campaign"]
    assert " ".join(numbered).count("60") >= 20
    assert len({line.split()[0] for line in lines if line[:2].strip().isdigit()}) == 60


def test_off_a_terminal_nothing_is_folded(capsys: pytest.CaptureFixture) -> None:
    rows = [["x" * 300, *range(50)]]
    assert [len(line.split()) for line in printed(capsys, [f"c{n}" for n in range(51)], rows)] == [51, 51, 51]


def test_wide_characters_keep_the_columns_aligned(capsys: pytest.CaptureFixture) -> None:
    lines = printed(capsys, ["name", "n"], [["世界", 1], ["abc", 2]])
    assert lines[2] == "世界  1" and lines[3] == "abc   2"


def test_a_text_that_is_too_long_for_the_page_is_cut(capsys: pytest.CaptureFixture) -> None:
    lines = printed(capsys, ["a", "b"], [["x" * 500, "y"]], width=50)
    assert max(map(len, lines)) <= 50
    assert "…" in "".join(lines)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_off_a_terminal_is_a_line_every_few_seconds(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr(output, "PATIENCE_SECONDS", 0.3)
    with Progress() as progress:
        progress("first")
        for number in range(5):
            progress(f"step {number}")
        assert capsys.readouterr().err == "", "quick work says nothing"
        progress("publishing")
        time.sleep(1.0)
    lines = capsys.readouterr().err.splitlines()
    assert 2 <= len(lines) <= 4
    assert all(line.startswith("publishing (") and line.endswith(" s)") for line in lines)
    assert output._open_line == []


def test_progress_on_a_terminal_is_one_line_that_messages_replace(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with Progress() as progress:
        progress("one\x1b[31m")
        progress("two")
        output.say("a message")
        progress("three")
    shown = terminal.getvalue()
    assert shown == "\r\x1b[Kone\\x1b[31m\r\x1b[Ktwo\r\x1b[Ka message\n\r\x1b[Kthree\r\x1b[K"
