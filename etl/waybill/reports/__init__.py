"""The reports: built, verified, shown; `read` returns one as a DataFrame."""

from waybill.reports.frame import read

__all__ = ["read"]
