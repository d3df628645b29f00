"""What the compressor values in a sentence: named sets of weights, each of which can be set."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["PROFILES", "Profile", "profile_from_parameters"]


@dataclass(frozen=True)
class Profile:
    """Weights of the six signals, and what of the budget may be taken without regard to them.

    The first four weights, and the depth, are those of arXiv 2603.12646 in the default profile.

    Attributes:
        textrank_weight: Of centrality among all sentences.
        position_weight: Of nearness to the beginning or the end.
        density_weight: Of rare words.
        novelty_weight: Of distance from the average sentence.
        risk_weight: Of likeness to attacks.
        personal_weight: Of likeness to text that tells of persons.
        position_depth: By how much the middle counts less than the ends, in [0, 1].
        redundancy_penalty: What a sentence loses, times its cosine with the likest one kept.
        ends_share: Share of the default budget for the beginning (a third of it) and the end.
        risk_share: Share of the default budget for sentences marked as risky, in [0, 1].
        personal_share: Share of the default budget for sentences that tell of persons.
        pattern_share: Share of the default budget for sentences with pattern findings, in [0, 1].

    Raises:
        ValueError: A weight is negative or not a number, all weights are 0, or a share, the depth
            or the penalty is not in [0, 1].
    """

    textrank_weight: float = 0.20
    position_weight: float = 0.40
    density_weight: float = 0.35
    novelty_weight: float = 0.05
    risk_weight: float = 0.50
    personal_weight: float = 0.50
    position_depth: float = 0.5
    redundancy_penalty: float = 0.3
    ends_share: float = 0.3
    risk_share: float = 0.5
    personal_share: float = 0.3
    pattern_share: float = 0.2

    def __post_init__(self) -> None:
        for name, value in dataclasses.asdict(self).items():
            if not math.isfinite(value) or value < 0:
                raise ValueError(f"{name} is {value}; it must be a number of at least 0")
            if not name.endswith("_weight") and value > 1:
                raise ValueError(f"{name} is {value}; it must be in 0..1")
        if not any(self.weights().values()):
            raise ValueError("all weights are 0; at least one signal must count")

    def weights(self) -> dict[str, float]:
        """Return the weight of each signal by its name."""
        return {
            name.removesuffix("_weight"): value
            for name, value in dataclasses.asdict(self).items()
            if name.endswith("_weight")
        }


PROFILES: Mapping[str, Profile] = {
    "default": Profile(),
    # What may be an attack before all else.
    "security": Profile(risk_weight=1.0, risk_share=0.75),
    # Rare identifiers tell what code is about; its ends are imports and closing brackets.
    "coding": Profile(textrank_weight=0.30, position_weight=0.20, density_weight=0.45),
    # Terms that are rare and said once: a diagnosis, a dose.
    "medical": Profile(
        textrank_weight=0.15, position_weight=0.25, density_weight=0.45, novelty_weight=0.15
    ),
    # What was said last, and first, in a long exchange.
    "multi_turn": Profile(position_weight=0.60, position_depth=0.8),
}


def profile_from_parameters(parameters: Mapping[str, str]) -> Profile:
    """Read ``profile`` and the weights that are set beside it from a model's parameters.

    Args:
        parameters: Values by name; a weight that is absent is the profile's, an absent profile is
            the default one. A model has other parameters, too: they are not looked at.

    Raises:
        ValueError: There is no such profile or weight, or a value is not what ``Profile`` allows.
    """
    fields = [field.name for field in dataclasses.fields(Profile)]
    endings = tuple({"_" + name.rpartition("_")[2] for name in fields})
    for name in parameters:
        if name.endswith(endings) and name not in fields:
            raise ValueError(f'there is no parameter "{name}"; a profile has {", ".join(fields)}')
    name = parameters.get("profile", "default")
    if name not in PROFILES:
        raise ValueError(f'there is no profile "{name}"; take one of {", ".join(PROFILES)}')
    changes = {}
    for field in fields:
        if field in parameters:
            value = parameters[field]
            try:
                changes[field] = float(value)
            except ValueError:
                raise ValueError(f'{field} is "{value}"; it must be a number') from None
    return dataclasses.replace(PROFILES[name], **changes)
