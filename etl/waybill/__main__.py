"""`python -m waybill`: the command line."""

from waybill.cli.main import run

run()
