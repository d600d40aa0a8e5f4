"""Imported once by the server that forks the test processes: Great Expectations takes seconds to import."""

import great_expectations  # noqa: F401

import etl.load.run
import etl.reports.build  # noqa: F401
from etl.quality import _library

_library()
