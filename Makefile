# Everything a contributor does, from a bare checkout: each target sets up what it needs. `make help` lists them.
PYTHON ?= python3
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help
help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | column -t -s '|'

.PHONY: setup
setup: ## make the virtual environment and the collection link, where missing
	@$(PYTHON) tests/tooling/environment.py
