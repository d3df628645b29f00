.PHONY: demo test lint bench train evaluate clean

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

train:
	@scripts/train

evaluate:
	@scripts/evaluate

clean:
	rm -rf .venv .venv-train .venv-export .cache build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
