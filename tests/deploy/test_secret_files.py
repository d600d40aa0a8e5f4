"""Secrets of an installation: made once, and readable by the owner only."""

import base64
import json
import stat
from pathlib import Path

from deploy.secret_files import JWT_BYTES, secrets_of, write_passwords


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_each_secret_is_made_once(tmp_path: Path) -> None:
    first = secrets_of(tmp_path / "secrets", tmp_path / "key")
    assert secrets_of(tmp_path / "secrets", tmp_path / "key") == first
    other = secrets_of(tmp_path / "other", tmp_path / "other_key")
    assert not set(first[:5]) & set(other[:5]), "two installations share no secret"


def test_the_secrets_have_the_length_that_airflow_needs(tmp_path: Path) -> None:
    made = secrets_of(tmp_path / "secrets", tmp_path / "key")
    assert len(base64.urlsafe_b64decode(made.fernet_key)) == 32
    assert len(made.jwt_secret.encode()) >= JWT_BYTES >= 64
    assert len(made.api_secret_key) >= 32 and len(made.admin_password) >= 16 and len(made.recipient_hmac_key) == 64


def test_only_the_owner_can_read_the_secrets(tmp_path: Path) -> None:
    made = secrets_of(tmp_path / "secrets", tmp_path / "key")
    write_passwords(made.passwords_file, made.admin_password)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) == 6
    assert {mode(path) for path in files} == {0o600}
    assert mode(tmp_path / "secrets") == 0o700


def test_the_password_of_the_ui_is_in_the_file_that_airflow_reads(tmp_path: Path) -> None:
    path = tmp_path / "passwords.json"
    write_passwords(path, "first")
    write_passwords(path, "second")
    assert json.loads(path.read_text()) == {"admin": "second"}
