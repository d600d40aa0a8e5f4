"""Waybill: the event logs of messaging providers as reports in your own Postgres."""

__version__ = "0.1.0"
