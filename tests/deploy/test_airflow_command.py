"""Airflow's command line in a running installation, and without one."""

from pathlib import Path

import pytest

from deploy import airflow_command
from deploy.installation import Installation
from deploy.simulated_days import ACCOUNTS, ZONE
from waybill.model.errors import ConfigurationError
from waybill.warehouse import embedded


def test_without_an_installation_it_says_how_to_start_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAYBILL_VAR", str(tmp_path))
    with pytest.raises(ConfigurationError, match=r"Nothing runs in .*`make run` starts it"):
        airflow_command.environment_of_running()
    assert list(tmp_path.iterdir()) == []


def test_it_uses_the_settings_of_the_running_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = "postgresql://postgres:@/waybill?host=%2Fsockets%2Fpg"
    monkeypatch.setattr(embedded, "is_running", lambda folder: folder == tmp_path / "postgres")
    monkeypatch.setattr(embedded, "start", lambda folder, version: url)
    monkeypatch.setenv("WAYBILL_VAR", str(tmp_path))
    installation = Installation(tmp_path, ZONE, ACCOUNTS)
    installation.note_ports(8123, 8124)
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", "of another installation")
    given = {"PATH": "/bin", "HOME": str(tmp_path)}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    found = airflow_command.environment_of_running()
    assert found["AIRFLOW__API__PORT"] == "8123"
    assert found.items() >= installation.environment(given, url, 8123, 8124).items()
