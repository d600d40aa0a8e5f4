"""Moved to etl/framing; here until everything that imports it from here has followed."""

from etl.framing.bodies import list_body
from etl.framing.raw_record import NO_LIST, NOT_CLOSED

__all__ = ["NOT_CLOSED", "NO_LIST", "list_body"]
