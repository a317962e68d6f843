# demo     install, make the demo videos, train, test
# test     install, run the tests; test-slow those that take long
# check    install, run the linters: style, format, types, layers
# bench    install, measure; bench-gpu the same on a GPU, which nobody has done yet
# torture  install, kill trainings for half an hour, ours and stock MMEngine
# clean    remove .venv and what the tools leave behind; data/ and work_dirs/ stay

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Made when the installation is complete, so that the next call finds nothing to do.
INSTALLED := $(VENV)/.installed

.PHONY: demo test test-slow check bench bench-gpu torture clean

demo: $(INSTALLED)
	$(BIN)/autox-video demo-data data/demo
	$(BIN)/python AutoTrain.py
	$(BIN)/python AutoTest.py

test: $(INSTALLED)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --maxprocesses 8 --dist loadfile

test-slow: $(INSTALLED)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m slow --numprocesses auto --maxprocesses 8 --dist loadfile

check: $(INSTALLED)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(INSTALLED)
	$(BIN)/autox-video demo-data data/demo
	$(BIN)/python benchmarks/model_step.py --seconds 4
	$(BIN)/python benchmarks/data_path.py
	$(BIN)/python benchmarks/batches.py
	$(BIN)/python benchmarks/augmentation.py
	$(BIN)/python benchmarks/proxy_cache.py
	$(BIN)/python benchmarks/end_to_end.py
	$(BIN)/python benchmarks/overhead.py --repeats 3
	$(BIN)/python benchmarks/reliability_cost.py --repeats 1
	$(BIN)/python benchmarks/startup.py --repeats 5
	$(BIN)/python benchmarks/list_scale.py --rows 1000 10000
	$(BIN)/python benchmarks/tables.py

bench-gpu: $(INSTALLED)
	$(BIN)/autox-video demo-data data/demo
	$(BIN)/python benchmarks/model_step.py --device cuda
	$(BIN)/python benchmarks/data_path.py
	$(BIN)/python benchmarks/end_to_end.py --device cuda
	$(BIN)/python benchmarks/tables.py

torture: $(INSTALLED)
	$(BIN)/python benchmarks/torture.py

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .ruff_cache .mypy_cache .import_linter_cache

# The usual OpenCV loads libraries of a desktop, which a bare Debian lacks. Then the build without windows is
# installed over it; as MMEngine and MMAction2 ask for the usual ones by name, those stay on the list.
$(INSTALLED): build.txt pyproject.toml setup.py
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -r build.txt -e '.[dev]'
	@$(BIN)/python -c 'import cv2' 2>/dev/null || { \
	  echo 'OpenCV needs libraries that are not here: installing opencv-contrib-python-headless over it'; \
	  $(BIN)/python -m pip install --force-reinstall --no-deps opencv-contrib-python-headless; \
	  $(BIN)/python -c 'import cv2'; }
	@touch $@
