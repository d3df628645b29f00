"""These tests need PyTorch, which only the environment of scripts/test for this folder has."""

import importlib.util

if importlib.util.find_spec("torch") is None:
    collect_ignore_glob = ["test_*.py"]
