"""Airflow imports this by its name at the start of each of its processes.

Tasks are forks of the scheduler: what it has imported they need not import again. Great Expectations alone takes
several seconds. Nothing here may open a connection or start a thread, because a fork would share it.
"""

import sys

if "scheduler" in sys.argv:
    import great_expectations  # noqa: F401

    import etl.pull.ingest
    import etl.quality
    import etl.reports.build  # noqa: F401
