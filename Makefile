# Everything a contributor does, from a bare checkout: each target sets up what it needs. `make help` lists them.
PYTHON ?= python3
BIN := .venv/bin
STAGES := $(BIN)/python -m tests.tooling.stages
TESTBED := $(BIN)/python -m tests.testbed

# Which cluster: make cluster NODES=3 CNI=plain K8S_VERSION=1.35 NAME=other, or CLUSTER=existing for that of KUBECONFIG.
CLUSTER_OPTIONS := $(if $(NODES),--nodes "$(NODES)") $(if $(CNI),--cni "$(CNI)") \
	$(if $(K8S_VERSION),--k8s-version "$(K8S_VERSION)") $(if $(NAME),--name "$(NAME)") \
	$(if $(API_SERVER),--api-server "$(API_SERVER)") \
	$(if $(filter existing,$(CLUSTER)),--existing)
ifneq ($(filter-out existing,$(CLUSTER)),)
$(error CLUSTER=$(CLUSTER) is not offered: CLUSTER=existing takes the cluster of your KUBECONFIG, and without CLUSTER one is made)
endif

.DEFAULT_GOAL := help
.PHONY: help
help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | column -t -s '|'

.PHONY: setup
setup: ## make the virtual environment and the collection link, where missing
	@$(PYTHON) tests/tooling/environment.py

.PHONY: check
check: setup ## format, lint, types and unit tests: under a minute
	@$(STAGES) check

.PHONY: lint
lint: setup ## ansible-lint, changelog and documentation
	@$(STAGES) lint

.PHONY: sanity
sanity: setup ## ansible-test sanity on the whole checkout
	@$(STAGES) sanity

.PHONY: importer
importer: setup ## what Galaxy checks on upload
	@$(STAGES) importer

.PHONY: integration
integration: setup ## the tests that need a cluster
	@$(STAGES) integration

.PHONY: test-encryption
test-encryption: setup ## keys changed, servers killed, at random: SEEDS=50 walks, SECRETS=10000
	@ENCRYPTION=long SEEDS="$(SEEDS)" SECRETS="$(SECRETS)" $(STAGES) encryption-three encryption-one

.PHONY: molecule
molecule: setup ## the scenarios that run roles and playbooks as a user does
	@$(STAGES) molecule

.PHONY: test
test: setup ## everything
	@$(STAGES) check lint sanity importer integration encryption-three molecule+encryption-one demo

.PHONY: cluster
cluster: setup ## a kind cluster; prints the path of its kubeconfig
	@$(TESTBED) up $(CLUSTER_OPTIONS)

.PHONY: cluster-down
cluster-down: setup ## remove the clusters and all that belongs to them
	@$(TESTBED) down --all

.PHONY: demo
demo: setup ## harden a cluster with a small shop and insecure neighbours, and watch
	@$(BIN)/python -m tests.demo

.PHONY: bench
bench: setup ## the speed of this collection beside kubernetes.core and kubectl
	@$(BIN)/python -m tests.bench

.PHONY: build
build: setup ## the tarball for Galaxy; prints its path
	@$(BIN)/python -m tests.tooling.collection

.PHONY: docs
docs: setup ## generate the changelog, the reference of the policy file and the ClusterRoles
	@PYTHONPATH=.collections $(BIN)/python docs/generate.py
	@PATH="$$PWD/$(BIN):$$PATH" antsibull-changelog release --update-existing --reload-plugins --refresh-plugins allow-removal --refresh-fragments
