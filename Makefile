# Every command of the project. Each target sets up what it needs; none needs another first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV_VERSION := 0.13.9
COMPILE := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --python-version 3.11
export PATH := $(CURDIR)/$(BIN):$(CURDIR)/node_modules/.bin:$(PATH)
# Without bytecode files every process compiles CDK and boto3 again, for seconds each.
unexport PYTHONDONTWRITEBYTECODE
# Behind a company's proxy only the system's store of certificates knows its CA; uv and Node have lists of their own.
export UV_SYSTEM_CERTS ?= true
export NODE_USE_SYSTEM_CA ?= 1
# Node keeps what it has compiled in the temporary folder, unless it is told where.
export NODE_COMPILE_CACHE ?= $(CURDIR)/$(VENV)/.node
# pip looks there by itself from 24.2 on; older ones take OpenSSL's file, where there is one.
SYSTEM_CERTS = import ssl; print(ssl.get_default_verify_paths().cafile or "")

CLOUD_LOCK := local/requirements-cloud.txt

.PHONY: help install demo test coverage test-fast laws fuzz shape-campaign fault-campaign slow-copy check docs picture bootstrap preflight deploy diff synth destroy doctor smoke least-privilege lock bench clean

help: ## Show the commands (default)
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

install: $(VENV)/.installed ## Set up .venv (Python packages, Node, CDK, the embedded cloud)

$(VENV)/.installed: $(VENV)/.cloud $(VENV)/.compiled node_modules/.installed
	@touch $@

$(VENV)/.python: requirements-dev.txt Makefile
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed, this is " + sys.version.split()[0])'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	PIP_CERT="$${PIP_CERT:-$${REQUESTS_CA_BUNDLE:-$$($(BIN)/python -c '$(SYSTEM_CERTS)')}}" \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	$(BIN)/uv pip sync --quiet --python $(BIN)/python requirements-dev.txt
	@touch $@

# Unpacked and compiled once, and not by each of the processes that need it next, all at the same time.
$(VENV)/.compiled: $(VENV)/.python
	$(BIN)/python -c 'import infra.stack, hypothesis, moto, rich'
	@touch $@

$(VENV)/.cloud: $(VENV)/.python $(CLOUD_LOCK)
	test -x $(VENV)/cloud/bin/python || $(BIN)/python -m venv --without-pip $(VENV)/cloud
	$(BIN)/uv pip sync --quiet --python $(VENV)/cloud/bin/python $(CLOUD_LOCK)
	@touch $@

node_modules/.installed: $(VENV)/.python package.json package-lock.json
	NODE_DISABLE_COMPILE_CACHE=1 $(BIN)/npm ci --silent --no-audit --no-fund
	@touch $@

demo: install ## Run a whole night on the embedded cloud: deploy, ten exports, Athena queries
	$(BIN)/python -m local demo

# More workers than cores, since tests with a cloud wait for half of their time.
test: install ## Run all tests (PYTEST='-k lease' for some)
	$(BIN)/python -m pytest -n 6 $(PYTEST)

# Laws that play hundreds of examples are not traced.
coverage: install ## Measure how much of the functions the unit tests run: at least 95 %
	$(BIN)/python -m pytest -n 2 --cov --cov-report=term --cov-fail-under=95 tests/unit

test-fast: install ## Run the tests of units and templates alone: what to run while working
	$(BIN)/python -m pytest -n 2 tests/unit tests/infra --ignore tests/infra/test_app.py $(PYTEST)

# Other examples every time, LAWS times as many of each law, and every way to be killed at every call.
LAWS := 60

laws: install ## Try the lake's laws with many examples, and crashes in every way (LAWS)
	LAKE_CAMPAIGN=$(LAWS) $(BIN)/python -m pytest tests/unit/lake tests/unit/views/test_world.py \
		--deselect tests/unit/lake/test_fuzz.py --timeout 0

SHAPES := 10000

# About a second each, on a core; other shapes every time, and a failure prints how to try its shape again.
shape-campaign: install ## Load SHAPES exports of other shapes, and what is ambiguous among them (SHAPES)
	LAKE_CAMPAIGN=$$(( ($(SHAPES) + 7) / 8 )) $(BIN)/python -m pytest -n 2 tests/unit/lake/test_shapes.py --timeout 0

# Up to an hour on two cores: 500 seeded fault scripts, ten export types at a time.
fault-campaign: install ## Run many nights with faults on the embedded cloud (FAULT_SCRIPTS, FAULT_SEED)
	FAULT_SCRIPTS=$${FAULT_SCRIPTS:-500} $(BIN)/python -m pytest -s tests/workflow/test_faults.py

# Four minutes, and 12 GB of memory, where the embedded cloud keeps its objects.
slow-copy: install ## Copy 3 GB at 20 MB/s with calls of 30 seconds, and report the peak memory
	SLOW_COPY_MB=3000 SLOW_COPY_TIMEOUT=30 $(BIN)/python -m pytest -s tests/workflow/test_slow_copy.py

FUZZ_INPUTS := 100000

# New inputs every time; a failure prints the seed of its input. A hundred thousand take about fifteen minutes.
fuzz: install ## Load FUZZ_INPUTS broken files (make fuzz FUZZ_INPUTS=1000000)
	LAKE_CAMPAIGN=$$(( ($(FUZZ_INPUTS) + 1999) / 2000 )) $(BIN)/python -m pytest tests/unit/lake/test_fuzz.py --timeout 0

check: install ## Lint, types, contracts, file length, secrets, CI workflow, cdk-nag, cfn-lint, state machine, IAM
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m checks.file_length
	$(BIN)/actionlint
	$(BIN)/detect-secrets-hook --no-verify --baseline .secrets.baseline $$(git ls-files)
	$(BIN)/python -m infra.check

docs: install ## Write the pages that come from the code: roles, data dictionary, metrics
	$(BIN)/python -m infra.roles
	$(BIN)/python -m checks.data_dictionary
	$(BIN)/python -m checks.metrics_doc

picture: install ## Take the README's picture of a morning report, of a demo's night (needs Chromium)
	rm -rf .local/reports
	$(BIN)/python -m local demo
	$(BIN)/python -m checks.picture .local/reports/*.html

bootstrap: install ## Prepare the AWS account of your credentials for CDK, once per account and region
	cdk bootstrap

# As text of its own: it may hold quotes.
preflight deploy: export CDK_OPTIONS = $(CDK)
PREFLIGHT_COMMAND = $(BIN)/python -m local preflight --cdk="$$CDK_OPTIONS"

preflight: install ## Check the AWS account before a deployment; changes nothing
	$(PREFLIGHT_COMMAND)

# CDK='-c NAME=VALUE' sets a value over cdk.json. --strict refuses to deploy with the example's customer id.
deploy: install ## Deploy to the AWS account of your credentials, if preflight finds it ready (PREFLIGHT=no skips that)
	$(if $(filter no,$(PREFLIGHT)),,$(PREFLIGHT_COMMAND))
	cdk deploy --strict $(CDK)

diff: install ## Show what a deployment would change
	cdk diff $(CDK)

synth: install ## Print the CloudFormation template; no credentials needed
	@cdk synth $(CDK)

destroy: install ## Remove the stack; bucket, database and ledger stay unless a setting says otherwise
	cdk destroy $(CDK)

# The stack's name: that of cdk.json, or STACK=NAME.
STACK ?= $(shell sed -n 's/.*"stackName": *"\(.*\)".*/\1/p' cdk.json)

doctor: install ## Check a deployed stack, and what to do about it (STACK=NAME)
	$(BIN)/python -m local doctor --stack $(STACK)

smoke: install ## Walk on a deployed stack what only AWS can prove, and keep a report (STACK=NAME, SMOKE=OPTIONS)
	$(BIN)/python -m local smoke --stack $(STACK) $(SMOKE)

least-privilege: install ## Remove each IAM statement in turn: a night must fail without it (minutes)
	$(BIN)/python -m pytest -p no:randomly tests/campaigns/least_privilege.py

lock: install ## Pin the packages of pyproject.toml again
	$(COMPILE) --group dev -o requirements-dev.txt
	$(COMPILE) --group cloud -o $(CLOUD_LOCK)
	$(COMPILE) -c requirements-dev.txt --group deploy -o requirements.txt
	$(COMPILE) -c requirements-dev.txt --group functions -o lambdas/requirements.txt
	$(COMPILE) -c requirements-dev.txt --group load -o lambdas/requirements-load.txt
	$(COMPILE) --group bench -o benchmarks/requirements.txt
	npm install --package-lock-only --omit-lockfile-registry-resolved

$(VENV)/bench/.installed: $(VENV)/.installed benchmarks/requirements.txt
	test -x $(VENV)/bench/bin/python || $(BIN)/python -m venv --without-pip $(VENV)/bench
	$(BIN)/uv pip sync --quiet --python $(VENV)/bench/bin/python benchmarks/requirements.txt
	@touch $@

# About half an hour, 10 GB of disk and 8 GB of memory; BENCH=--publish writes the numbers into docs/performance.md.
bench: $(VENV)/bench/.installed ## Measure load, merge, copy, cold starts, deployment and an idle night (BENCH=--help)
	$(BIN)/python -m benchmarks $(BENCH)

clean: ## Stop the local cloud, and remove all that was set up and built
	-$(BIN)/python -m local down
	rm -rf $(VENV) node_modules .local .build cdk.out
