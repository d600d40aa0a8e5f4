"""`python -m etl`: the command line."""

from etl.cli.main import run

run()
