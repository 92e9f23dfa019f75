.PHONY: run test lint
run:
	python3 run.py
test:
	python3 run.py test
lint:
	.venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/mypy
