# Everything installs into .venv (and .venv-proto, .tools for the stub generators); nothing else
# is needed but Python >= 3.11, make and the package registries.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PROTO := .venv-proto
COMPILED_TESTS ?= $(addprefix tests/,syntax model verdict checks lists mx smtp engine store batches rpc acceptance)
WORKERS ?= 2

# Compiled once, and not by each of the processes that tests start, whatever the shell says.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help install demo test lint check-proto unit compiled test-compiled docs test-slow mutations faults conformance conformance-million test-real bench clients proto protoset release released requirements tools clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 16

install: $(VENV)/.installed  ## install mailvet into .venv

$(VENV)/.installed: requirements/dev.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/pip install -q --disable-pip-version-check --no-deps -e .
	touch $@

demo: install  ## verify a thousand addresses against a small mail internet on loopback
	$(BIN)/mailvet demo

test: lint check-proto unit  ## everything that must pass

lint: install
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: install tools
	$(BIN)/pytest -n $(WORKERS) --dist loadfile

test-slow: install tools  ## tests that take longer
	$(BIN)/pytest -m slow

mutations: install  ## break the store in every known way: its tests must notice each (15 min)
	$(BIN)/python -m tests.store.mutations

faults: install  ## break it on purpose: kills, drains, cut networks, starved processes (15 min)
	$(BIN)/pytest tests/faults -m "slow or not slow"
	$(BIN)/python -m tests.faults.matrix --minutes 10 --seeds 200

clients: install tools  ## build the clients, and run the programs of their READMEs
	scripts/build_clients.sh
	$(BIN)/pytest tests/client/test_readmes.py -m "conformance or not conformance"

conformance: install tools  ## every scenario with the client of every language; writes docs/clients.md
	$(BIN)/python -m tests.conformance.matrix

conformance-million: install tools  ## a million results with each, through three kills of the server (20 min)
	$(BIN)/python -m tests.conformance.matrix --million

compiled: install  ## a compiled copy of the package in build/compiled (needs a C compiler; 2 min)
	$(BIN)/python scripts/compile.py

test-compiled: compiled tools  ## the tests of what is compiled, on the compiled copy
	PYTHONPATH=$(CURDIR)/build/compiled $(BIN)/pytest -n $(WORKERS) --dist loadfile $(COMPILED_TESTS)

test-real: install  ## tests against real programs from Debian packages (root, apt)
	tests/real/install.sh
	$(BIN)/pytest -m real

tools: $(PROTO)/.installed

$(PROTO)/.installed: requirements/proto.txt scripts/install_generators.sh
	test -x $(PROTO)/bin/python || $(PYTHON) -m venv $(PROTO)
	$(PROTO)/bin/pip install -q --disable-pip-version-check --require-hashes -r requirements/proto.txt
	scripts/install_generators.sh
	touch $@

proto: tools  ## regenerate every stub
	$(PROTO)/bin/buf format -w proto
	scripts/generate.sh

check-proto: tools
	$(PROTO)/bin/buf lint
	$(PROTO)/bin/buf format --diff --exit-code proto
	scripts/check_generated.sh
	scripts/check_breaking.sh

protoset: install  ## the descriptors as a file, for grpcurl without reflection
	$(BIN)/python scripts/write_protoset.py dist/mailvet.protoset

release: install tools  ## build and try every package we publish (10 min); publishes nothing
	scripts/release.sh

released: tools  ## hold later changes of the API against the one there is now
	cp src/mailvet/v1/mailvet.binpb proto/released.binpb

REPEATS ?= 5
bench: $(VENV)/.bench compiled  ## measure everything REPEATS times, as root (5 to 8 min each), and rewrite bench/README.md
	$(BIN)/python -m bench.run --repeats $(REPEATS)
	$(BIN)/python -m bench.report

$(VENV)/.bench: $(VENV)/.installed requirements/bench.txt
	$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements/bench.txt
	touch $@

docs: install  ## rewrite the pages of docs/ that are made from the code
	$(BIN)/python scripts/write_docs.py

requirements: install  ## pin the newest versions that pyproject.toml allows
	$(BIN)/pip install -q pip-tools
	cd requirements && ../$(BIN)/pip-compile -q --upgrade --strip-extras --generate-hashes --allow-unsafe \
	    --no-header --no-annotate --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
	    --all-extras -o dev.txt ../pyproject.toml
	cd requirements && ../$(BIN)/pip-compile -q --upgrade --strip-extras --generate-hashes --allow-unsafe \
	    --no-header --no-annotate --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
	    -o proto.txt proto.in
	cd requirements && ../$(BIN)/pip-compile -q --upgrade --strip-extras --generate-hashes --allow-unsafe \
	    --no-header --no-annotate --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
	    -o bench.txt bench.in

clean:  ## remove what the targets above made
	rm -rf $(VENV) $(PROTO) .tools build dist clients/typescript/node_modules
