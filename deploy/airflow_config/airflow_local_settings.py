"""Airflow imports this by its name at the start of each of its processes.

Tasks are forks of the scheduler: what it has imported they need not import again. Great Expectations alone takes
several seconds. Nothing here may open a connection or start a thread, because a fork would share it.
"""

import sys
from importlib import import_module

OF_EVERY_TASK = (
    "airflow.providers.standard.decorators.python",
    "airflow.sdk.definitions.decorators",
    "airflow.sdk.execution_time.supervisor",
    "airflow.sdk.execution_time.task_mapping",
    "airflow.sdk.execution_time.task_runner",
    "airflow.sdk.execution_time.timeout",
    "great_expectations",
    "jinja2.ext",
    "waybill.flow.ingest",
    "waybill.quality.gate",
    "waybill.quality.rows",
    "waybill.flow.rebuild",
)
"""What tasks import between their start and their end, as `sys.modules` showed."""

if "scheduler" in sys.argv:
    for name in OF_EVERY_TASK:
        import_module(name)
