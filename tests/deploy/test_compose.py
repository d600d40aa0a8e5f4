"""docker-compose.yml: the same processes and settings as `make run`, and only the necessary rights."""

import importlib.util
import json
import re
import sys
from pathlib import Path

import pytest
import yaml

from deploy import health
from deploy.airflow_settings import OF_EACH_INSTALLATION, PREPARE, PROCESSES, ROOT, SETTINGS
from deploy.simulated_days import simulator_command
from waybill.settings import Settings
from waybill.simulator.twilio.rows import account_sid, auth_token

TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE = yaml.safe_load(TEXT)
SERVICES = COMPOSE["services"]
OF_AIRFLOW = ["init", *PROCESSES]
SECRETS = (
    "FERNET_KEY",
    "API_SECRET_KEY",
    "JWT_SECRET",
    "ADMIN_PASSWORD",
    "POSTGRES_PASSWORD",
    "AIRFLOW_DATABASE_PASSWORD",
    "WAREHOUSE_PASSWORD",
    "RECIPIENT_HMAC_KEY",
)
LONE_SECRET = re.compile(r"\$\{([A-Z_]*(?:KEY|PASSWORD|SECRET)[A-Z_]*)([^}]*)\}")


@pytest.fixture(params=sorted(SERVICES))
def service(request: pytest.FixtureRequest) -> dict:
    return SERVICES[request.param]


def test_the_services_are_the_processes_of_make_run() -> None:
    assert SERVICES.keys() == {"postgres", "init", "simulator", *PROCESSES}
    for name, command in PROCESSES.items():
        assert SERVICES[name]["command"] == list(command), name
    assert SERVICES["init"]["command"] == list(PREPARE)


def test_the_profile_simulator_has_the_world_of_make_run() -> None:
    assert SERVICES["simulator"]["profiles"] == ["simulator"]
    assert [name for name in SERVICES if "profiles" in SERVICES[name]] == ["simulator"]
    of_run = [word for word in simulator_command(8090, Path("x")) if not word.startswith("--landed")]
    assert sorted(SERVICES["simulator"]["command"]) == sorted([*of_run, "--host=0.0.0.0"])


def test_only_the_image_of_the_profile_contains_the_simulator() -> None:
    for name, service in SERVICES.items():
        if name != "postgres":
            target = "simulated" if name == "simulator" else "production"
            assert service["build"] == {"context": ".", "target": target}, name
            assert service["image"] == f"waybill{'-simulated' if name == 'simulator' else ''}:local"


@pytest.mark.parametrize("name", OF_AIRFLOW)
def test_the_settings_are_those_of_make_run(name: str) -> None:
    environment = SERVICES[name]["environment"]
    assert {key: environment.get(key) for key in SETTINGS} == SETTINGS
    own = {key for key in environment if key.startswith("AIRFLOW")} - SETTINGS.keys()
    assert own == set(OF_EACH_INSTALLATION)


@pytest.mark.parametrize("name", OF_AIRFLOW)
def test_the_settings_of_the_installation_agree(name: str) -> None:
    environment = SERVICES[name]["environment"]
    assert environment["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == "http://api-server:8080/execution/"
    assert environment["AIRFLOW__API__PORT"] == "8080"
    assert health.base_url(environment) == "http://api-server:8080"
    assert environment["AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE"] == "True", "DAGs run by their timetables"
    for key in ("AIRFLOW_CONFIG", "AIRFLOW__CORE__DAGS_FOLDER"):
        assert (ROOT / environment[key].removeprefix("/app/")).exists(), key


def test_every_setting_of_waybill_is_read() -> None:
    read = set(re.findall(r'\bget\("([A-Z_]+)"', (ROOT / "etl" / "waybill" / "settings.py").read_text()))
    read |= set(re.findall(r'"(POSTGRES_ADMIN_URL|ADMIN_PASSWORD)"', (ROOT / "deploy" / "prepare.py").read_text()))
    assert len(read) > 10
    for name in OF_AIRFLOW:
        own = {key for key in SERVICES[name]["environment"] if not key.startswith("AIRFLOW")} - SETTINGS.keys()
        assert own <= read, name


def test_a_secret_has_no_default_but_a_hint_how_to_make_it() -> None:
    found = LONE_SECRET.findall(TEXT)
    assert {name for name, _ in found} == set(SECRETS)
    for name in SECRETS:
        rules = [rule for other, rule in found if other == name]
        assert any(re.match(r":\?.*make (one|it once) with: openssl rand ", rule) for rule in rules), name
        assert all(rule == "" or rule.startswith(":?") for rule in rules), name


def test_no_secret_is_in_the_file() -> None:
    for service in SERVICES.values():
        for key, value in service.get("environment", {}).items():
            if re.search("PASSWORD$|SECRET|KEY", key):
                assert re.fullmatch(r"\$\{[A-Z_]+:\?.+\}", value), key
            for password in re.findall(r"://\w+:([^@]*)@", re.sub(r"\$\{[^}]*\}", "$", str(value))):
                assert password == "$", key


def test_only_tasks_have_the_secrets_of_the_warehouse() -> None:
    for name, service in SERVICES.items():
        keys = service.get("environment", {}).keys()
        assert ("WAREHOUSE_URL" in keys) == (name in ("init", "scheduler")), name
        assert ("RECIPIENT_HMAC_KEY" in keys) == (name == "scheduler"), name
        assert ("env_file" in service) == (name == "scheduler"), name
        assert ("POSTGRES_ADMIN_URL" in keys) == (name == "init"), name


def test_images_are_pinned(service: dict) -> None:
    assert "build" in service or re.fullmatch(r"postgres:\d+\.\d+", service["image"])


def test_no_service_runs_as_root_or_can_become_root(service: dict) -> None:
    assert service["user"] in ("50000:50000", "postgres")
    assert service["cap_drop"] == ["ALL"] and service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is True and "/tmp" in service["tmpfs"]
    assert not service.get("privileged") and "network_mode" not in service


def test_only_this_machine_can_reach_the_ports() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", ())]
    assert len(ports) == 3
    for port in ports:
        assert str(port).startswith("127.0.0.1:"), port


def test_every_lasting_service_has_a_healthcheck_and_restarts() -> None:
    for name, service in SERVICES.items():
        if name == "init":
            assert service["restart"].startswith("on-failure")
            continue
        assert service["restart"] == "unless-stopped"
        test = service["healthcheck"]["test"]
        assert test[0] == "CMD", name
        if name in PROCESSES:
            assert test[1:] == ["python", "-m", "deploy.health", name] and name in health.PARTS


def test_each_service_waits_for_the_services_that_it_needs() -> None:
    assert SERVICES["init"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert SERVICES["api-server"]["depends_on"] == {"init": {"condition": "service_completed_successfully"}}
    for name in ("scheduler", "dag-processor", "triggerer"):
        assert SERVICES[name]["depends_on"] == {
            "init": {"condition": "service_completed_successfully"},
            "api-server": {"condition": "service_healthy"},
        }


def test_lasting_data_are_in_named_volumes() -> None:
    mounted = {volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", ())}
    assert mounted == COMPOSE["volumes"].keys() == {"postgres", "access", "inbox", "landing", "logs"}


def test_the_commands_exist() -> None:
    for service in SERVICES.values():
        program, *words = service.get("command", ["python"])
        assert program == "python" or (Path(sys.executable).parent / program).exists()
        if words[:1] == ["-m"]:
            assert importlib.util.find_spec(words[1]) is not None


def test_the_connections_of_the_profile_lead_to_the_simulator() -> None:
    lines = (ROOT / "deploy" / "simulated_accounts.env").read_text().splitlines()
    settings = dict(line.split("=", 1) for line in lines if not line.startswith("#"))
    assert Settings.from_environment(settings).allows_plain_http
    for account in ("north", "south"):
        found = json.loads(settings.pop(f"AIRFLOW_CONN_WAYBILL_TWILIO_{account.upper()}"))
        assert (found["login"], found["password"]) == (account_sid(account), auth_token(account))
        assert found["host"] == "http://simulator:8090"
    assert settings == {"ALLOW_PLAIN_HTTP": "1"}
