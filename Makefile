# Every target makes its own environment in .venv on the first run and reuses it afterwards.
# Needs: Python 3.11 or newer with venv, gcc, make. Another Python: make clean test PYTHON=python3.13

PYTHON ?= python3
UV_VERSION := 0.13.9

VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
READY := $(VENV)/.ready
LOCK := env -u UV_FIND_LINKS UV_NO_CONFIG=1 $(UV) pip compile pyproject.toml --group dev --group bench --universal \
	--python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet

# llama.cpp comes as source. Without vision and downloads it compiles in half the time; not tuned to this very processor
# (it still uses AVX2), so that machines may share what was built. For a GPU: make llama LLAMA_FLAGS=-DGGML_CUDA=ON
LLAMA_FLAGS := -DLLAVA_BUILD=OFF -DLLAMA_CURL=OFF -DGGML_NATIVE=OFF
LLAMA_KEPT := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/voicebot/llama
PINNED = awk '/^[^ ]/ {wanted = /^($(1))==/} wanted' requirements/extras.txt

.DEFAULT_GOAL := help
.PHONY: help demo test extras lint types docs picture bench llama lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' Makefile

demo: $(READY) ## a whole spoken call in this terminal: no key, no microphone, no network
	$(BIN)/voicebot demo

test: $(READY) ## all tests, two files at a time; narrow with ARGS="tests/guards -k wheel"
	$(BIN)/python -m pytest $(or $(ARGS),-n 2 --dist loadfile)

# Of the locked extras, all that install without a long build: llama-cpp-python has a target of its own, PyAudio needs
# the headers of PortAudio (Debian: portaudio19-dev), and Ray is large: pip install "voicebot[ray]" for its one test.
extras: $(READY) ## the optional parts too, so that their tests run: microphone, local speech, cloud providers
	@without="llama-cpp-python|ray"; echo '#include <portaudio.h>' | $(CC) -E - >/dev/null 2>&1 || without="$$without|pyaudio"; \
		awk -v without="^($$without)==" '/^[a-z]/ {skip = $$0 ~ without} !skip' requirements/extras.txt >$(VENV)/extras.txt
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes --no-deps -r $(VENV)/extras.txt

lint: $(READY) ## ruff: rules and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY) ## mypy: strict over the package and the tests
	$(BIN)/mypy

docs: $(READY) ## write the reference pages again: agent file, events
	$(BIN)/python docs/generate.py

picture: $(READY) ## draw the picture in the README again
	$(BIN)/python docs/pictures.py

bench: $(READY) ## how many calls a server carries on this machine; needs the extra "server" (make extras)
	$(BIN)/voicebot bench calls --peer pipecat --peer bare --quick

llama: $(READY) ## language models in this process: llama.cpp, compiled once in some minutes and kept in ~/.cache
	@set -e; \
	version=$$($(call PINNED,llama-cpp-python) | sed -n 's/.*==\([^ ]*\).*/\1/p'); \
	built_for=$$($(BIN)/python -c 'import sys, sysconfig; print(sys.implementation.cache_tag, sysconfig.get_platform(), sep="-")'); \
	flags=$$(echo '$(LLAMA_FLAGS)' | cksum | cut -d ' ' -f 1); \
	kept="$(LLAMA_KEPT)/$$version-$$built_for-$$flags"; \
	if ! ls "$$kept"/*.whl >/dev/null 2>&1; then \
		echo "make: compiling llama.cpp, which takes some minutes, once"; \
		new=$$(mktemp -d); trap 'rm -rf "$$new"' EXIT; \
		$(call PINNED,llama-cpp-python) >"$$new/pin.txt"; \
		CMAKE_ARGS='$(LLAMA_FLAGS)' $(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps \
			--no-cache-dir --require-hashes -r "$$new/pin.txt" -w "$$new/wheel" || { \
			echo "make: llama.cpp was not built; it needs a C++ compiler and the network" >&2; exit 3; }; \
		mkdir -p "$$kept"; mv "$$new"/wheel/*.whl "$$kept"; \
	fi; \
	$(call PINNED,diskcache|jinja2|markupsafe) | $(UV) pip install --quiet --python $(BIN)/python --require-hashes -r -; \
	$(UV) pip install --quiet --python $(BIN)/python --no-deps "$$kept"/*.whl

lock: $(READY) ## pin again after a change in pyproject.toml; newest of everything: make lock UPGRADE=--upgrade
	$(LOCK) --all-extras --group full $(UPGRADE) -o requirements/extras.txt
	$(LOCK) --constraint requirements/extras.txt $(UPGRADE) -o requirements/dev.txt

clean: ## remove .venv and everything that was built
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): pyproject.toml requirements/dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "make: voicebot needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) --version 2>&1 || true). Name another: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 3; }
	@$(BIN)/python -c '' 2>/dev/null || $(PYTHON) -m venv --clear $(VENV) || { \
		echo "make: '$(PYTHON) -m venv' does not work here; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 3; }
	@$(UV) --version 2>/dev/null | grep -q '^uv $(UV_VERSION)' || \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements/dev.txt
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@
