"""Airflow imports this module by its name when a process starts.

Tasks are forks of the scheduler, so they need not import again what it has imported; Great Expectations alone takes
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
"""The modules that tasks import, as `sys.modules` showed."""

if "scheduler" in sys.argv:
    for name in OF_EVERY_TASK:
        import_module(name)
