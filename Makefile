.PHONY: demo test lint bench bench-quick bench-parts report train evaluate clean

demo:
	@scripts/setup
	@scripts/demo

test:
	@scripts/setup dev
	@scripts/test

lint:
	@scripts/setup dev
	@scripts/lint

bench:
	@scripts/setup dev
	@scripts/bench

bench-quick:
	@scripts/setup dev
	@scripts/bench --quick

bench-parts:
	@scripts/setup dev
	@scripts/bench_parts

report:
	@scripts/setup dev
	@.venv/bin/python perf/report.py

train:
	@scripts/train

evaluate:
	@scripts/evaluate

clean:
	rm -rf .venv .venv-train .venv-export .venv-perf .cache build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
