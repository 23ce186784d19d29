.DEFAULT_GOAL := help
PYTHON ?= python3
FOR ?= 0

help:  ## what can be asked for
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/'

setup: .venv/ready .ministack/ready  ## install all that the other targets need, pinned and hashed

check: setup  ## format, lint, types, templates
	.venv/bin/ruff format --check . && .venv/bin/ruff check . && .venv/bin/mypy && .venv/bin/cfn-lint

test: setup  ## all tests: unit, adapters, templates, end to end on the local stack
	.venv/bin/pytest

demo: setup  ## the whole stack on this machine with live peers; FOR=60 ends it after 60 seconds
	@.venv/bin/python -m local.demo --for $(FOR)

deploy: .deploy/ready layer  ## to the AWS account of the current credentials
	.deploy/bin/sam deploy --guided

layer:  ## the functions' dependencies for Lambda's platform, no Docker needed
	rm -rf .build/layer && .venv/bin/pip install --quiet --require-hashes --only-binary=:all: --platform manylinux2014_aarch64 --python-version 3.13 --target .build/layer/python -r locks/layer.txt

lock:  ## resolve the locks again from pyproject.toml
	for name in layer dev ministack deploy; do ./locks/resolve $$name; done

%/ready: locks/%.txt
	$(PYTHON) -m venv $* && $*/bin/pip install --quiet --disable-pip-version-check --require-hashes -r $< && touch $@

.venv/ready: locks/dev.txt
	$(PYTHON) -m venv .venv && .venv/bin/pip install --quiet --disable-pip-version-check --require-hashes -r $< && touch $@

.ministack/ready: locks/ministack.txt
	$(PYTHON) -m venv .ministack && .ministack/bin/pip install --quiet --disable-pip-version-check --require-hashes -r $< && touch $@

.deploy/ready: locks/deploy.txt
	$(PYTHON) -m venv .deploy && .deploy/bin/pip install --quiet --disable-pip-version-check --require-hashes -r $< && touch $@

.PHONY: help setup check test demo deploy layer lock
