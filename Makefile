.DEFAULT_GOAL := help
PYTHON ?= python3
FOR ?= 0
REAP ?= usual
N ?= 1000000

help:  ## what can be asked for
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/'

setup: .venv/ready .ministack/ready  ## install all that the other targets need, pinned and hashed

check: setup  ## format, lint, types, templates
	.venv/bin/ruff format --check . && .venv/bin/ruff check . && .venv/bin/mypy && .venv/bin/cfn-lint

test: setup browser  ## all tests: unit, adapters, templates, in a browser, end to end on the local stack
	@echo "some 5,000 tests in two processes; what each says comes when it is done, in 8 to 14 minutes" >&2
	@$(MAKE) --no-print-directory --jobs 2 --keep-going --output-sync=target test-stack test-rest

test-stack: setup browser
	.venv/bin/pytest tests/end_to_end

# Behind the other: peers on real sockets wait for answers, these tests for nothing.
test-rest: setup browser
	nice .venv/bin/pytest --ignore tests/end_to_end

browser: setup  ## a Chromium for the tests and the pictures: the machine's own, or one that is installed
	@PYTHONPATH=functions .venv/bin/python -m tests.browser.chromium

screenshots: browser  ## pictures of a running demo's page, into docs/images
	@PYTHONPATH=functions .venv/bin/python -m tests.browser.screenshots

demo: setup  ## the whole stack on this machine with live peers; FOR=60 ends it, REAP=fast makes ghosts
	@PYTHONPATH=functions .venv/bin/python -m local.demo --for $(FOR) --reap $(REAP)

bench-deliver: setup  ## CPU a post, ours beside boto3, aiohttp, the Go SDK and wrk
	@PYTHONPATH=functions .venv/bin/python -m bench.deliver

bench-broadcast: setup  ## a broadcast to N targets against a gateway that enforces the account's rate
	@PYTHONPATH=functions .venv/bin/python -m bench.broadcast --targets $(N)

bench-observe: setup  ## CPU a thousand stream records, ours beside the usual recipe
	@PYTHONPATH=functions .venv/bin/python -m bench.observe

bench-cold: setup  ## CPU of a cold start of `connect`, beside the usual libraries all imported at once
	@PYTHONPATH=functions .venv/bin/python -m bench.cold

bench-census: setup  ## what counting a million rows reads and costs
	@PYTHONPATH=functions .venv/bin/python -m bench.census

bench-reap: setup  ## what a run of the reaper reads, writes and costs at a million rows
	@PYTHONPATH=functions .venv/bin/python -m bench.reap

bench-page: browser  ## how soon the page is seen, and how long a redraw holds it up
	@PYTHONPATH=functions .venv/bin/python -m bench.page

gameday: setup  ## each fault of alarms/gameday.yaml made to happen, and what the alarms said to it
	@PYTHONPATH=functions .venv/bin/python -m local.gameday

deploy: .deploy/ready layer  ## to the AWS account of the current credentials; ARGS go to `sam deploy`
	.deploy/bin/sam deploy $(ARGS)

layer: .deploy/ready  ## the functions' dependencies for Lambda's platform, no Docker needed
	rm -rf .build/layer && .deploy/bin/pip install --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary=:all: --platform manylinux2014_aarch64 --python-version 3.13 --target .build/layer/python -r locks/layer.txt

lock:  ## resolve the locks again from pyproject.toml
	$(PYTHON) locks/resolve.py

define environment
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $<
	touch $@
endef
.venv/ready: locks/dev.txt ; $(environment)
.ministack/ready: locks/ministack.txt ; $(environment)
.deploy/ready: locks/deploy.txt ; $(environment)

.PHONY: help setup check test test-stack test-rest browser screenshots demo bench-deliver bench-broadcast bench-observe bench-cold bench-census bench-reap bench-page gameday deploy layer lock
