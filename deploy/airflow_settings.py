"""Airflow as Waybill runs it: its settings and its processes, each as one table.

`make run` reads them; docker-compose.yml says the same, and a test compares. How the pinned version of Airflow behaves
is tried, not taken from its documents: the comments say what came out.
"""

from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

SETTINGS: Mapping[str, str] = {
    "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
    # workers are forked at the start of the scheduler, all of them
    "AIRFLOW__CORE__PARALLELISM": "4",
    # what airflow_local_settings.py has imported is there in a fork only
    "AIRFLOW__CORE__MP_START_METHOD": "fork",
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    # the nightly rebuild must not wait for somebody to find a switch
    "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
    # name:role; the password stands in a file
    "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin",
    "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "False",
    # one asynchronous endpoint (waiting for a run) is the only user, and would ask for another driver
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": "",
    "AIRFLOW__API__WORKERS": "1",
    "AIRFLOW__API__EXPOSE_CONFIG": "False",
    # default 1: at the end of every task a second of waiting
    "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.3",
    # default 5: so long a worker's slot stays taken after its task has ended
    "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
    # default 300: so late a new DAG file is seen
    "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "10",
    # whatever the umask: by default others may read logs of tasks
    "AIRFLOW__LOGGING__FILE_TASK_HANDLER_NEW_FOLDER_PERMISSIONS": "0o700",
    "AIRFLOW__LOGGING__FILE_TASK_HANDLER_NEW_FILE_PERMISSIONS": "0o600",
    "AIRFLOW__METRICS__STATSD_ON": "False",
    "AIRFLOW__METRICS__OTEL_ON": "False",
    "AIRFLOW__TRACES__OTEL_ON": "False",
    "GX_ANALYTICS_ENABLED": "False",
    "SCARF_ANALYTICS": "False",
    "DO_NOT_TRACK": "1",
    # prepare.py makes a pool for each account of a provider; without it DAGs would name pools that nobody made
    "PROVIDER_POOLS": "1",
}
"""The same in every installation."""

OF_EACH_INSTALLATION = (
    "AIRFLOW_HOME",
    "AIRFLOW_CONFIG",
    "AIRFLOW__CORE__DAGS_FOLDER",
    "AIRFLOW__LOGGING__BASE_LOG_FOLDER",
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN",
    # these three must agree: tasks call the api-server by the third
    "AIRFLOW__API__PORT",
    "AIRFLOW__API__BASE_URL",
    "AIRFLOW__CORE__EXECUTION_API_SERVER_URL",
    "AIRFLOW__API__HOST",
    "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE",
    "AIRFLOW__CORE__FERNET_KEY",
    "AIRFLOW__API__SECRET_KEY",
    "AIRFLOW__API_AUTH__JWT_SECRET",
    # whether DAGs run by their timetables, or only when somebody asks
    "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE",
)
"""Set in every installation, each with a value of its own."""

PREPARE = ("python", "-m", "deploy.prepare")
"""Comes before all processes, at every start."""

# Logs of tasks lie in one folder that all processes see; their log servers would listen on every address.
PROCESSES: Mapping[str, tuple[str, ...]] = {
    "api-server": ("airflow", "api-server"),
    "scheduler": ("airflow", "scheduler", "--skip-serve-logs"),
    "dag-processor": ("airflow", "dag-processor"),
    "triggerer": ("airflow", "triggerer", "--skip-serve-logs"),
}
"""The processes of Airflow, by name."""


def ports(host: str, port: int, seen_as: str) -> dict[str, str]:
    """The settings that tell the api-server's address.

    :param host: what it listens on
    :param seen_as: the name that tasks find it by
    """
    return {
        "AIRFLOW__API__HOST": host,
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": f"http://{seen_as}:{port}",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://{seen_as}:{port}/execution/",
    }
