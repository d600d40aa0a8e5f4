"""`python -m deploy.health NAME`: whether a process of Airflow is well, by its heartbeat as the api-server knows it.

Airflow's own command for it imports Airflow, which costs seconds of a processor every time.
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
"""Process to what the api-server calls it."""


def is_healthy(name: str, base_url: str) -> bool:
    """Whether the api-server answers, and says that this process is well."""
    try:
        with build_opener(ProxyHandler({})).open(f"{base_url}/api/v2/monitor/health", timeout=PATIENCE_SECONDS) as a:
            return json.load(a)[PARTS[name]]["status"] == "healthy"
    except (URLError, TimeoutError, ConnectionError):
        return False


def base_url(environment: Mapping[str, str]) -> str:
    """Where tasks find the api-server."""
    return environment["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"].removesuffix("/execution/")


def main() -> None:
    """Exit with 0 if it is well, 1 if not."""
    sys.exit(0 if is_healthy(sys.argv[1], base_url(os.environ)) else 1)


if __name__ == "__main__":
    main()
