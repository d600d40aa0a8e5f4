"""Airflow's command line, with the settings of the installation that `make run` has started.

make airflow DO="dags list"
make airflow DO="dags trigger rebuild_reports --conf '{\"full\": true}'"

WAYBILL_VAR names the installation if it is not var/run.
"""

import os
import sys
from pathlib import Path

from deploy.installation import Installation
from deploy.simulated_days import ACCOUNTS, ZONE
from waybill.cli.output import say
from waybill.model.errors import ConfigurationError, WaybillError
from waybill.settings import Settings
from waybill.warehouse import embedded


def main() -> None:
    """Replace this process by `airflow` with its arguments; exits with 3 if no installation runs."""
    try:
        environment = environment_of_running()
    except WaybillError as error:
        say(f"airflow: {error}")
        sys.exit(error.exit_code)
    airflow = Path(sys.executable).parent / "airflow"
    os.execve(airflow, ["airflow", *sys.argv[1:]], environment)  # noqa: S606 - no shell, and a fixed program


def environment_of_running() -> dict[str, str]:
    """Returns the environment of the running processes. Raises ConfigurationError if they do not run."""
    own = Settings.from_environment({"WAYBILL_VAR": os.environ.get("WAYBILL_VAR", "var/run")})
    installation = Installation(own.var, ZONE, ACCOUNTS)
    ports = installation.ports()
    if ports is None or not embedded.is_running(installation.postgres):
        raise ConfigurationError(f"Nothing runs in {own.var}. `make run` starts it, and prints its WAYBILL_VAR.")
    admin_url = embedded.start(installation.postgres, own.postgres_version)
    return installation.environment(os.environ, admin_url, *ports)


if __name__ == "__main__":
    main()
