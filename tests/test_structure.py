"""The shape of the tree, checked in the files themselves."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted((ROOT / "etl" / "waybill").rglob("*.py"))
SIMULATOR = sorted((ROOT / "etl" / "waybill" / "simulator").rglob("*.py"))
OF_AIRFLOW = sorted((ROOT / "etl" / "waybill" / "airflow").rglob("*.py"))
PRODUCT = [file for file in MODULES if file not in SIMULATOR and file not in OF_AIRFLOW]
SQL = sorted((ROOT / "sql").rglob("*.sql"))
REPORTS = sorted((ROOT / "sql" / "reports").glob("*.sql"))
FEEDS = ROOT / "etl" / "waybill" / "feeds"
FEED_FILES = sorted(FEEDS.rglob("*.py"))
DEPLOY = sorted((ROOT / "deploy").rglob("*.py"))
WHOLE_ROWS = (
    *("fold_legs.sql", "fold_messages.sql"),
    *("keys_to_merge.sql", "sightings_to_merge.sql", "write_events.sql"),
)
"""They read whole legs or events, and would repeat the columns of fact.leg or fact.event."""
LIMITS = [(MODULES, 400), (SIMULATOR, 400), (FEED_FILES, 250), (DEPLOY, 400), (REPORTS, 120)]


def test_there_is_something_to_look_at() -> None:
    assert len(MODULES) > 20
    assert len(SQL) > 12
    assert len(REPORTS) >= 7


@pytest.mark.parametrize(("files", "most"), LIMITS)
def test_files_stay_small(files: list[Path], most: int) -> None:
    assert files
    for file in files:
        assert len(file.read_text().splitlines()) <= most, file.name


def is_overlong(name: str, line: str) -> bool:
    """Whether a line should be shorter: not the row of a table in a document, nor code in it, which may be a record."""
    return len(line) > 120 and not (name.endswith(".md") and line.startswith(("|", "    ", "{")))


def test_no_line_is_longer_than_120_characters() -> None:
    """Released migrations are never edited, and docs/data_dictionary.md is written from their comments."""
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    names = [
        name
        for name in tracked
        if name.endswith((".py", ".sql", ".yml", ".md"))
        and not "sql/schema/0001" <= name < "sql/schema/0018"
        and name != "docs/data_dictionary.md"
        and (ROOT / name).is_file()
    ]
    assert len(names) > 300
    assert {Path(name).suffix for name in names} == {".py", ".sql", ".yml", ".md"}
    found = [
        f"{name}:{number}"
        for name in names
        for number, line in enumerate((ROOT / name).read_text().split("\n"), 1)
        if is_overlong(name, line)
    ]
    assert found == []


def imported(file: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


def test_only_waybill_airflow_imports_airflow_and_only_the_demo_imports_the_simulator() -> None:
    assert len(PRODUCT) > 60
    for file in PRODUCT:
        names = imported(file)
        assert not any(name.split(".")[0] == "airflow" for name in names), file
        if file.name != "demo.py":
            assert not any(name.startswith(("waybill.simulator", "waybill.airflow", "tests")) for name in names), file


def test_a_provider_imports_only_the_model_the_framing_the_base_of_feeds_and_its_own_folder() -> None:
    folders = [folder for folder in sorted(FEEDS.iterdir()) if any(folder.glob("*.py"))]
    assert len(folders) >= 3
    for folder in folders:
        assert (folder / "__init__.py").exists(), f"{folder} is not found: it has no __init__.py"
        others = tuple(f"waybill.feeds.{other.name}" for other in folders if other != folder)
        for file in folder.glob("*.py"):
            own = {name for name in imported(file) if name.split(".")[0] == "waybill"}
            assert own or file.name == "__init__.py"
            allowed = ("waybill.model", "waybill.framing", "waybill.feeds")
            assert all(name.startswith(allowed) and not name.startswith(others) for name in own), (file, own)


def test_dependencies_point_one_way() -> None:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout


def test_values_reach_sql_only_as_parameters() -> None:
    """No statement is put together from strings; names go in as identifiers (psycopg2.sql)."""
    looked_at = 0
    for file in MODULES:
        for node in ast.walk(ast.parse(file.read_text())):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            if node.func.attr not in ("execute", "copy_expert") or not node.args:
                continue
            looked_at += 1
            statement = node.args[0]
            assert not isinstance(statement, ast.JoinedStr | ast.BinOp), f"{file}:{node.lineno}"
    assert looked_at > 40


@pytest.mark.parametrize("file", SQL, ids=lambda file: file.name)
def test_sql_names_its_columns(file: Path) -> None:
    text = re.sub(r"--.*", "", file.read_text())
    if file.name not in WHOLE_ROWS:
        assert not re.search(r"select\s+(distinct on \(\w+\)\s+)?(\w+\.)?\*", text), "select *"
    assert "::date at time zone" not in text


def named_queries() -> set[tuple[str, str | None]]:
    """File and name of every query that is not a migration and not a report; name None: the file is one query."""
    found: set[tuple[str, str | None]] = set()
    for file in SQL:
        place = str(file.relative_to(ROOT / "sql").with_suffix(""))
        if place.split("/")[0] not in ("schema", "reports"):
            names = re.findall(r"^-- name: (\w+)$", file.read_text(), re.MULTILINE)
            assert len(names) == len(set(names)), place
            found |= {(place, name) for name in names or [None]}
    return found


def test_every_query_is_used_by_the_code_that_names_it() -> None:
    used = set()
    for file in MODULES:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "sql_of":
                assert all(isinstance(argument, ast.Constant) for argument in node.args), f"{file}:{node.lineno}"
                place, *name = (argument.value for argument in node.args)
                used.add((place, name[0] if name else None))
    assert len(used) > 30
    assert used == named_queries()


@pytest.mark.parametrize("file", SQL, ids=lambda file: file.name)
def test_every_query_has_a_sentence(file: Path) -> None:
    for query in re.split(r"^-- name: \w+\n", file.read_text(), flags=re.MULTILINE):
        assert query.startswith("-- "), query[:80]


@pytest.mark.parametrize("file", SQL, ids=lambda file: file.name)
def test_sql_is_written_in_the_form_in_which_it_runs(file: Path) -> None:
    if file.parent.name != "schema":  # a function may write statements of its own
        text = file.read_text().replace("'{}'", "")
        assert not re.search(r"[{}]", text), "templating"


@pytest.mark.parametrize("file", REPORTS, ids=lambda file: file.name)
def test_reports_are_one_plain_select_without_a_clock(file: Path) -> None:
    text = re.sub(r"--.*", "", file.read_text())
    assert text.strip().rstrip(";").count(";") == 0
    assert not re.search(r"\b(now|current_date|current_timestamp|clock_timestamp)\b", text)
    assert not re.search(r"\{|\}", text), "templating"
    assert file.read_text().startswith("-- ")


def test_no_text_refers_to_a_document_that_is_not_here() -> None:
    # a released migration is never edited; 0017_comments.sql corrected what five of them had put into the database
    pattern = re.compile("DES" + "IGN|of the des" + "ign")
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    looked_at = [name for name in tracked if not name.startswith("sql/schema/00") and (ROOT / name).is_file()]
    assert len(looked_at) > 300
    found = [name for name in looked_at if pattern.search((ROOT / name).read_text(errors="replace"))]
    assert found == []
