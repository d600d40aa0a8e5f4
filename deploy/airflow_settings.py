"""The settings and the processes of Airflow.

`make run` reads them; docker-compose.yml has the same, and a test compares them. The comments describe the behaviour of
the pinned version as it was observed, which its documentation does not always state.
"""

from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

SETTINGS: Mapping[str, str] = {
    "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
    # all workers are forked when the scheduler starts
    "AIRFLOW__CORE__PARALLELISM": "4",
    # only a fork keeps the modules that airflow_local_settings.py has imported
    "AIRFLOW__CORE__MP_START_METHOD": "fork",
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    # otherwise the nightly rebuild would wait until somebody unpauses it
    "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
    # name:role; the password is in a file
    "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin",
    "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "False",
    # only one endpoint (waiting for a run) uses it, and it needs another driver
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": "",
    "AIRFLOW__API__WORKERS": "1",
    "AIRFLOW__API__EXPOSE_CONFIG": "False",
    # default 1: each task waits a second at its end
    "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.3",
    # default 5: a worker's slot stays taken that long after its task has ended
    "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
    # default 300: a new DAG file is seen that late
    "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "10",
    # independent of the umask: by default other users can read logs of tasks
    "AIRFLOW__LOGGING__FILE_TASK_HANDLER_NEW_FOLDER_PERMISSIONS": "0o700",
    "AIRFLOW__LOGGING__FILE_TASK_HANDLER_NEW_FILE_PERMISSIONS": "0o600",
    "AIRFLOW__METRICS__STATSD_ON": "False",
    "AIRFLOW__METRICS__OTEL_ON": "False",
    "AIRFLOW__TRACES__OTEL_ON": "False",
    "GX_ANALYTICS_ENABLED": "False",
    "SCARF_ANALYTICS": "False",
    "DO_NOT_TRACK": "1",
    # prepare.py makes a pool for each account of a provider; DAGs use them
    "PROVIDER_POOLS": "1",
}
"""Settings that are the same in every installation."""

OF_EACH_INSTALLATION = (
    "AIRFLOW_HOME",
    "AIRFLOW_CONFIG",
    "AIRFLOW__CORE__DAGS_FOLDER",
    "AIRFLOW__LOGGING__BASE_LOG_FOLDER",
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN",
    # these three must agree: tasks call the API server by the third
    "AIRFLOW__API__PORT",
    "AIRFLOW__API__BASE_URL",
    "AIRFLOW__CORE__EXECUTION_API_SERVER_URL",
    "AIRFLOW__API__HOST",
    "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE",
    "AIRFLOW__CORE__FERNET_KEY",
    "AIRFLOW__API__SECRET_KEY",
    "AIRFLOW__API_AUTH__JWT_SECRET",
    # whether DAGs run by their timetables, or only when they are triggered
    "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE",
)
"""Settings with a different value in every installation."""

PREPARE = ("python", "-m", "deploy.prepare")
"""Runs before all processes, at every start."""

# All processes can read the folder with the logs of tasks; log servers would listen on every address.
PROCESSES: Mapping[str, tuple[str, ...]] = {
    "api-server": ("airflow", "api-server"),
    "scheduler": ("airflow", "scheduler", "--skip-serve-logs"),
    "dag-processor": ("airflow", "dag-processor"),
    "triggerer": ("airflow", "triggerer", "--skip-serve-logs"),
}
"""The processes of Airflow, by name."""


def ports(host: str, port: int, seen_as: str) -> dict[str, str]:
    """Returns the settings with the API server's address.

    :param host: the address that it listens on
    :param seen_as: the host name that tasks use
    """
    return {
        "AIRFLOW__API__HOST": host,
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": f"http://{seen_as}:{port}",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://{seen_as}:{port}/execution/",
    }
