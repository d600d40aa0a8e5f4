"""Imported once by the server that forks the test processes: Great Expectations takes seconds to import."""

import great_expectations  # noqa: F401

import waybill.flow.ingest
import waybill.flow.rebuild  # noqa: F401
from waybill.quality.gate import _library

_library()
