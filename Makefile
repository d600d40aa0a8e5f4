PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help setup run airflow test test-installed test-airflow lint docs lock chaos-short chaos bench clean

help: ## This list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)$$/make \1\t\2/' | expand -t 20

setup: $(VENV)/.done ## Own virtual environment, from the hash-pinned lock

$(VENV)/.done: bootstrap.lock requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' \
		|| { echo "Python 3.11 is needed: make setup PYTHON=/path/to/python3.11"; exit 3; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r bootstrap.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock \
		|| $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index -e .
	@touch $@

run: setup ## Airflow and all of it on simulated providers, until Ctrl-C (ONCE=1: ends by itself)
	@$(BIN)/python -m deploy.run $(if $(ONCE),--once)

airflow: setup ## Airflow's command line in what `make run` has started: make airflow DO="dags list"
	@$(BIN)/python -m deploy.airflow_command $(DO)

# Three processes, each with a Postgres: one more than cores, because tests also wait. In order of files: the long ones
# come first. Bytecode is kept, or every process that the tests start compiles Great Expectations anew.
PYTEST := PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

define STYLE
$(BIN)/ruff check .
$(BIN)/ruff format --check .
$(BIN)/lint-imports
endef

test: setup ## Style, structure and all tests (long ones: make chaos)
	$(STYLE)
	$(PYTEST) -m "not long"

test-installed: setup ## The built package in environments of its own, one of them an Airflow (minutes)
	$(PYTEST) tests/installed

test-airflow: setup ## The DAGs in a real Airflow (minutes)
	$(PYTEST) -n 0 tests/dags tests/deploy -m long

lint: setup ## Style, structure and types (the first run takes a minute, later ones seconds)
	$(STYLE)
	$(BIN)/mypy

RANDOM := test_same_tables.py::test_reports_equal_the_model_with_any_batches_processes_and_order \
	test_kill.py::test_commands_killed_at_random_times_give_the_same_tables

chaos-short: setup ## New random examples of whole warehouses, and kills at random times (minutes)
	HYPOTHESIS_PROFILE=new $(PYTEST) $(addprefix tests/acceptance/,$(RANDOM))

chaos: setup ## The long property and crash tests, and all others with new random examples
	HYPOTHESIS_PROFILE=new $(PYTEST) -m long --timeout 7200
	HYPOTHESIS_PROFILE=new $(PYTEST) -m "not long"

bench: setup ## Speed of a load against a bare COPY; live monitoring with ten million messages
	$(BIN)/python -m bench.load
	$(BIN)/python -m bench.live

docs: setup ## Write docs/data_dictionary.md, docs/feeds.md and the column contract anew, from an empty warehouse
	$(BIN)/python -m tests.waybill.reports.columns
	$(BIN)/waybill feeds --markdown > docs/feeds.md
	WAYBILL_VAR=var/docs $(BIN)/waybill warehouse dictionary > docs/data_dictionary.md.new
	WAYBILL_VAR=var/docs $(BIN)/waybill warehouse down
	rm -rf var/docs
	mv docs/data_dictionary.md.new docs/data_dictionary.md

LOCKED := $(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header
OF_IMAGE := --extra airflow --extra s3 --extra gcs --extra azure

lock: setup ## Write the lock files anew: tools, everything, and what the image needs
	printf "setuptools\nuv\n" | $(LOCKED) --no-annotate - -o bootstrap.lock
	$(LOCKED) --all-extras pyproject.toml -o requirements.lock
	$(LOCKED) --no-annotate --constraint requirements.lock $(OF_IMAGE) pyproject.toml -o image.lock

clean: ## Remove the virtual environment and everything under var/
	-@test ! -x $(BIN)/waybill || for home in var var/demo var/run; do WAYBILL_VAR=$$home $(BIN)/waybill warehouse down; done
	rm -rf $(VENV) var
