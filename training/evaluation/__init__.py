"""Measures the shipped models as they are served: ``python -m training.evaluation``.

Each module has one part: `served` runs a model repository, `safety`, `domain` and `pii` measure on
the dev sets, `length` in long texts, `robustness` on perturbed ones, `baselines` what simpler
methods reach. All figures go into ``training/results/evaluation.json``; `report`, `pictures` and
`cards` make everything readable from that file alone.
"""
