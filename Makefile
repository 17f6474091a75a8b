# Everything that people and CI run. `make help` lists it.
export PYTHONPATH := src
# What was compiled is kept, wherever one is told otherwise: tests and their libraries cost seconds to compile.
export PYTHONDONTWRITEBYTECODE :=
PYTHON := .venv/bin/python
.DEFAULT_GOAL := help

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: up
up: ## set everything up and bring examples/kafka-1.yaml up on this machine
	./klamm up examples/kafka-1.yaml --namespace kafka

.PHONY: down
down: ## stop the cluster of this machine; its data stays
	./klamm down

.PHONY: environment
environment:
	@./klamm --set-up-for-development

.PHONY: test
test: test-fast ## set everything up; unit and golden tests, then real clusters (tests/system)
	$(PYTHON) -m pytest --durations=12 tests/system

.PHONY: test-fast
test-fast: environment ## unit and golden tests only (two minutes on two cores)
	$(PYTHON) -m pytest -n auto --dist worksteal tests/unit tests/golden

.PHONY: conformance
conformance: environment ## localkube beside a real kube-apiserver, case by case (needs Go; the first run builds it)
	$(PYTHON) -m tests.kubernetes.programs
	$(PYTHON) -m pytest tests/conformance

.PHONY: kubernetes
kubernetes: environment ## a real Kubernetes of three nodes, until Ctrl-C (needs root; the first run builds it; KAFKA="3.6.0 4.3.1")
	$(PYTHON) -m tests.kubernetes.node $(KAFKA)

.PHONY: test-kubernetes
test-kubernetes: environment ## the walkthrough with real Kafka on a real Kubernetes (needs root; some ten minutes)
	$(PYTHON) -m pytest tests/on_kubernetes
	$(PYTHON) -m pytest tests/system/test_walkthrough.py tests/system/monitoring/test_live.py --on=kubernetes

.PHONY: images
images: ## container images of the operator and of Kafka, with Docker or Podman (KAFKA="3.6.0 4.3.1")
	images/build $(KAFKA)

.PHONY: weather
weather: environment ## every call of the operator killed, cut, refused or late in turn, on a real kube-apiserver (some 45 minutes; FAULTS="--lanes 8")
	$(PYTHON) -m tests.kubernetes.programs
	$(PYTHON) -m tests.weather $(FAULTS)

.PHONY: weather-sample
weather-sample: environment ## forty of them, and a cluster that is made anew at once under its name (three minutes)
	$(PYTHON) -m tests.kubernetes.programs
	KLAMM_WEATHER_FAULTS=40 $(PYTHON) -m pytest tests/weather tests/kubernetes

.PHONY: alerts
alerts: environment ## real faults make every alert fire and end, on one machine (needs prometheus, and root for small disks; a quarter of an hour)
	$(PYTHON) -m pytest tests/alerts

.PHONY: helm
helm: environment ## the Helm chart: rendered, installed and removed on localkube and on a real kube-apiserver (needs Go 1.26)
	$(PYTHON) -m tests.helm.program
	$(PYTHON) -m tests.kubernetes.programs
	$(PYTHON) -m pytest tests/helm

.PHONY: rights
rights: environment ## the operator's roles, namespaces and leader election on a real kube-apiserver (two minutes)
	$(PYTHON) -m tests.kubernetes.programs
	$(PYTHON) -m pytest tests/rights

.PHONY: check
check: lint test-fast ## format, lint, types, import rule, generated files fresh, unit and golden tests

.PHONY: lint
lint: environment ## all of `make check` but the tests
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .
	$(PYTHON) -m mypy
	.venv/bin/lint-imports
	$(PYTHON) -m klamm.programs.generate --check

.PHONY: generate
generate: environment ## write install/, the chart's roles and docs/reference anew from the code
	$(PYTHON) -m klamm.programs.generate

.PHONY: format
format: environment ## put the code into the house's format
	$(PYTHON) -m ruff format .
	$(PYTHON) -m ruff check --fix .

.PHONY: bench
bench: environment ## ratios beside a bare baseline, in one run (see bench/README.md)
	$(PYTHON) -m bench

.PHONY: bench-kubernetes
bench-kubernetes: environment ## time to Ready on a real Kubernetes, and what the operator takes there (needs root)
	$(PYTHON) -m bench.kubernetes

.PHONY: lock
lock: environment ## resolve the dependencies anew, with hashes
	for extras in operator local develop; do \
		$(PYTHON) -m piptools compile --quiet --upgrade --generate-hashes --strip-extras --allow-unsafe \
			--no-emit-index-url --no-emit-find-links --no-header --extra console \
			$$( [ $$extras = operator ] || echo --extra local ) $$( [ $$extras = develop ] && echo --extra develop ) \
			--output-file requirements/$$extras.txt pyproject.toml; \
	done
