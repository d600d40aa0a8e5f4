"""The commands, options, files, settings and make targets in the documents exist."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from waybill.cli.main import app
from waybill.feeds import FEEDS
from waybill.reports import catalogue
from waybill.settings import PROVIDER_SETTINGS, Settings

ROOT = Path(__file__).resolve().parents[2]
README, CONTRIBUTING = (ROOT / name for name in ("README.md", "CONTRIBUTING.md"))
DOCUMENTS = sorted(
    path
    for path in (
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "sql").rglob("*.md"),
        *ROOT.glob("*/README.md"),
    )
)
CODE = sorted((ROOT / "etl" / "waybill").rglob("*.py"))
TREE = typer.main.get_command(app)
MADE_BY_RUNNING = ("var/", ".env", ".venv")
MACHINE = re.compile(r"(?<![\w.])/(home|root|work|tmp|Users|mnt|opt|srv|scratch)/")
FILE_ENDINGS = (".md", ".py", ".sql", ".json", ".toml", ".txt", ".lock", ".yml", ".cfg", ".example")


def blocks(document: Path) -> Iterator[str]:
    """Returns the lines of indented code."""
    for line in document.read_text().splitlines():
        if line.startswith("    ") and line.strip():
            yield line.strip()


def calls(text: str) -> list[list[str]]:
    """Yields the calls of `waybill` in a line of shell."""
    found = re.findall(r"(?:^|[$(;&|]\s*)waybill\s+([^)#|;]*)", text)
    return [shlex.split(call.replace("…", "").rstrip("\\\"' ")) for call in found]


def check_call(words: list[str], where: object) -> None:
    """Check that the command, its options, and the feeds and reports that it names exist."""
    command, words = TREE, list(words)
    while words[:1] in (["--log"], ["--quiet"]):  # global options come before the command
        assert words.pop(0) == "--quiet" or words.pop(0) in ("human", "json"), where
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]
    assert command is not TREE or words[:1] in (["--version"], ["--help"], []), (where, words)
    assert not getattr(command, "commands", None) or not words or words[0].startswith("-"), (where, words)
    options = {option: parameter for parameter in command.params for option in parameter.opts}
    arguments = [parameter for parameter in command.params if parameter.param_type_name == "argument"]
    values = []
    while words:
        word = words.pop(0)
        if not word.startswith("--"):
            values.append(word)
            continue
        assert word in options or word == "--help", (where, word)
        if word in options and not getattr(options[word], "is_flag", False):
            assert words, (where, word, "lacks its value")
            words.pop(0)
    if values and arguments:
        known = {"feed": FEEDS, "name": [report.name for report in catalogue.all_reports()]}.get(arguments[0].name)
        assert known is None or values[0].isupper() or values[0] in known, (where, values[0])
    assert len(values) <= len(arguments) or (arguments and arguments[-1].nargs == -1), (where, values)


def test_there_are_documents() -> None:
    assert {README, CONTRIBUTING} <= set(DOCUMENTS) and len(DOCUMENTS) > 6


def test_every_call_in_a_code_block_works() -> None:
    found = [(line, call) for line in blocks(README) for call in calls(line)]
    assert len(found) >= 8
    for line, call in found:
        check_call(call, line)


@pytest.mark.parametrize(
    "path", [*DOCUMENTS, *CODE, ROOT / ".env.example"], ids=lambda path: str(path.relative_to(ROOT))
)
def test_every_call_in_a_text_works(path: Path) -> None:
    for quoted in re.findall(r"`+waybill ([^`]*)`", re.sub(r'"\s*\n\s*f?"', "", path.read_text())):
        if "{" not in quoted:
            check_call(shlex.split(quoted.replace("…", "")), path)


def test_a_wrong_call_would_be_found() -> None:
    for wrong in (
        "reports",
        "report shows",
        "report show nope",
        "load sendgrid_events --acount x",
        "demo x",
        "feeds --all",
    ):
        with pytest.raises(AssertionError):
            check_call(shlex.split(wrong), "here")
    check_call(shlex.split("load sendgrid_events a b --account x"), "here")


def test_the_table_of_commands_is_complete() -> None:
    (table,) = re.findall(r"\| command \| for \|\n(.*?)\n\n", README.read_text(), re.DOTALL)
    rows = [line for line in table.splitlines() if line.startswith("| `")]
    named = set()
    for row in rows:
        group = None
        for quoted in re.findall(r"`([^`]+)`", row.split("|")[1]):
            words = [word for word in quoted.split() if word.islower()]
            path = words if words[0] in TREE.commands else [group, *words]
            check_call(path, row)
            group = path[0]
            named.add(" ".join(path))
    leaves = {
        " ".join((name, child) if child else (name,))
        for name, command in TREE.commands.items()
        for child in (getattr(command, "commands", None) or {None: None})
    }
    assert named == leaves


def test_the_exit_codes_are_those_of_the_errors() -> None:
    from waybill.model import errors

    said = " ".join(README.read_text().split())
    codes = dict(re.findall(r"(\d) ([a-z ]+)", said.split("Exit codes:")[1].split(". ")[0]))
    assert list(codes) == list("0123456")
    classes = (errors.UsageError, errors.ConfigurationError, errors.SourceError, errors.QualityGateError)
    assert [error.exit_code for error in (errors.WaybillError, *classes, errors.CeilingError)] == [1, 2, 3, 4, 5, 6]
    assert codes["3"] == "configuration" and codes["5"] == "quality gate"


def named_files(document: Path) -> set[str]:
    """Yields what looks like a path of this tree: links, quoted words, first words of the list of folders."""
    text = document.read_text()
    named = {target.split("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in target}
    for quoted in re.findall(r"`([^`\s]+)`", text):
        if "/" in quoted or quoted.endswith(FILE_ENDINGS):
            named.add(quoted)
    places = text.split("## Where things are")[-1] if "## Where things are" in text else ""
    for line in places.splitlines():
        if line.startswith("    "):
            named |= set(re.findall(r"(?:^|\s{2,})([\w/.]+)(?=\s{2,}\S)", line))
    return {name for name in named if not name.startswith(MADE_BY_RUNNING)}


@pytest.mark.parametrize("document", [README, CONTRIBUTING], ids=lambda path: path.name)
def test_every_file_in_a_document_exists(document: Path) -> None:
    named = named_files(document)
    assert len(named) >= 8, named
    for name in named:
        pattern = re.sub(r"<\w+>|NNNN", "*", name).strip("/")
        assert list(ROOT.glob(pattern)), f"{document.name} names {name}"


def test_the_list_of_folders_was_read() -> None:
    assert {
        "etl/waybill/model",
        "etl/waybill/cli",
        "sql/reports",
        "expectations",
        "etl/waybill/simulator",
        "bench",
        "docs/decisions",
    } <= named_files(README)


def test_every_make_target_in_a_document_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {
        name for path in DOCUMENTS for name in re.findall(r"(?:`|^    )make ([a-z-]+)", path.read_text(), re.MULTILINE)
    }
    assert {"run", "test"} <= named <= targets


def test_the_example_has_the_settings_that_the_code_reads() -> None:
    code = (ROOT / "etl" / "waybill" / "settings.py").read_text()
    read = set(re.findall(r'\bget\("([A-Z_]+)"', code))
    assert len(read) >= 11
    dags = "".join(file.read_text() for file in (ROOT / "etl" / "waybill" / "airflow").rglob("*.py"))
    read |= PROVIDER_SETTINGS | set(re.findall(r'\benviron\.get\("([A-Z_]+)"', dags))
    example = (ROOT / ".env.example").read_text()
    assert {name.partition("__")[0] for name in re.findall(r"^#?(\w+)=", example, re.MULTILINE)} == read
    for line in example.splitlines():
        assert not line or line.startswith("#"), "the example must not set anything"


def test_the_defaults_in_the_example_are_those_of_the_code(tmp_path: Path) -> None:
    example = dict(re.findall(r"^#([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE))
    default = Settings.from_environment({})
    names = ("LANDING_URL", "INBOX_URL", "WAYBILL_VAR", "REJECTED_CEILING", "EMBEDDED_POSTGRES_VERSION")
    same = Settings.from_environment({name: example[name] for name in names})
    assert (same.var, same.rejected_ceiling, same.postgres_version) == (
        default.var,
        default.rejected_ceiling,
        default.postgres_version,
    )
    assert [Path(url).resolve() for url in (same.landing_url, same.inbox_url)] == [
        Path(url) for url in (default.landing_url, default.inbox_url)
    ]


def test_only_settings_read_the_environment() -> None:
    allowed = {"settings.py", "gate.py", "output.py", "environment.py"}  # for a library, the terminal, Airflow
    reading = {path.name for path in CODE if re.search(r"\bos\.(environ|getenv)\b", path.read_text())}
    assert "settings.py" in reading and reading <= allowed


def test_no_text_names_a_path_of_a_machine() -> None:
    for path in (*DOCUMENTS, *CODE, ROOT / ".env.example", ROOT / "Makefile", ROOT / "pyproject.toml"):
        assert not MACHINE.search(path.read_text()), path
    assert MACHINE.search("in /home/me/x") and not MACHINE.search("spool/home/x and /path/to/python3.11")
