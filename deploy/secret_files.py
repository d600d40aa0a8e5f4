"""Secrets of an installation: each is made once, in a file that only its owner can read."""

import base64
import json
import os
import secrets
from pathlib import Path
from typing import NamedTuple

from waybill.secret_file import read_or_create

ADMIN = "admin"
JWT_BYTES = 64
"""With fewer bytes Airflow's library warns at every token."""


class Secrets(NamedTuple):
    """The secrets that all processes of Airflow share.

    :ivar passwords_file: passwords of the UI's users; Airflow must be able to write to it
    """

    recipient_hmac_key: str
    fernet_key: str
    api_secret_key: str
    jwt_secret: str
    admin_password: str
    passwords_file: Path


def secrets_of(folder: Path, hmac_key: Path) -> Secrets:
    """Returns the secrets in a folder (mode 0700); missing ones are made.

    :param hmac_key: the file in which Waybill's commands look for their key
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    passwords_file = folder / "passwords.json"
    return Secrets(
        read_or_create(hmac_key, lambda: secrets.token_hex(32)),
        read_or_create(folder / "fernet_key", lambda: base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()),
        read_or_create(folder / "api_secret_key", lambda: secrets.token_hex(32)),
        read_or_create(folder / "jwt_secret", lambda: secrets.token_hex(JWT_BYTES)),
        read_or_create(folder / "admin_password", lambda: secrets.token_urlsafe(16)),
        passwords_file,
    )


def write_passwords(path: Path, admin_password: str) -> None:
    """Write the file (mode 0600) from which Airflow's SimpleAuthManager reads the passwords of its users."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump({ADMIN: admin_password}, file)
    draft.replace(path)
