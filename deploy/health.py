"""`python -m deploy.health NAME`: whether a process of Airflow is healthy, by its heartbeat at the API server.

Airflow's own command for this imports Airflow, which takes seconds of processor time.
"""

import json
import os
import sys
from collections.abc import Mapping
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

PATIENCE_SECONDS = 10
PARTS = {
    "api-server": "metadatabase",
    "scheduler": "scheduler",
    "dag-processor": "dag_processor",
    "triggerer": "triggerer",
}
"""Process to its name in the answer of the API server."""


def is_healthy(name: str, base_url: str) -> bool:
    """Returns whether the API server answers that this process is healthy."""
    try:
        with build_opener(ProxyHandler({})).open(f"{base_url}/api/v2/monitor/health", timeout=PATIENCE_SECONDS) as a:
            return json.load(a)[PARTS[name]]["status"] == "healthy"
    except (URLError, TimeoutError, ConnectionError):
        return False


def base_url(environment: Mapping[str, str]) -> str:
    """Returns the URL of the API server for tasks."""
    return environment["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"].removesuffix("/execution/")


def main() -> None:
    """Exit with 0 if the process is healthy, else with 1."""
    sys.exit(0 if is_healthy(sys.argv[1], base_url(os.environ)) else 1)


if __name__ == "__main__":
    main()
