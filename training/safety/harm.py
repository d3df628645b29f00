"""Plain unsafe requests by topic, each topic beside harmless questions that sound alike.

The deeds are named and never explained. `harmful_request` draws an unsafe request,
`neighbour_request` a harmless one on the same topics (history, prevention, law, help, fiction).
"""

from __future__ import annotations

import random

from training.safety.words import COMMON, load
from training.spintax import expand, sentence_case, tidy

# Verb phrases: "How do I {deed}?". Each line is one topic.
DEEDS = load("harm_deeds")

ARTIFACTS = load("harm_artifacts")

TOPICS: tuple[str, ...] = tuple(DEEDS)

_FRAMES = load("harm_frames")

_NEIGHBOURS = load("harm_neighbours")

_ABOUT = load("harm_about")

_SLOTS = {
    **COMMON,
    **ARTIFACTS,
    **{f"about_{topic}": deeds for topic, deeds in DEEDS.items()},
}


def _deed(rng: random.Random) -> str:
    return "{about_" + rng.choice(TOPICS) + "}"


def harmful_deed(rng: random.Random) -> str:
    """Return a harmful act as a verb phrase: what a jailbreak wants help with."""
    return tidy(expand(_deed(rng), _SLOTS, rng))


def harmful_request(rng: random.Random) -> str:
    """Return a plain unsafe request without any attempt at deceiving the model."""
    frame = rng.choice(_FRAMES["how"] if rng.random() < 0.72 else _FRAMES["write"])
    text = tidy(expand(frame.replace("{deed}", _deed(rng)), _SLOTS, rng))
    return text if rng.random() < 0.15 else sentence_case(text)


def neighbour_request(rng: random.Random) -> str:
    """Return a harmless request on the topics of the unsafe ones."""
    if rng.random() < 0.25:
        template = rng.choice(_ABOUT["ask"]).replace("{deed}", _deed(rng))
    else:
        template = rng.choice(_NEIGHBOURS[rng.choice(TOPICS)])
    return sentence_case(tidy(expand(template, _SLOTS, rng)))


def crescendo(rng: random.Random) -> tuple[list[str], str]:
    """Return harmless questions on a topic and a harmful request on the same, to be asked last."""
    topic = rng.choice(TOPICS)
    asks = [
        sentence_case(tidy(expand(rng.choice(_NEIGHBOURS[topic]), _SLOTS, rng)))
        for _ in range(rng.randint(1, 4))
    ]
    frame = rng.choice(_FRAMES["how"]).replace("{deed}", "{about_" + topic + "}")
    link = rng.choice(("", "", "Now ", "OK, and ", "Great. ", "Thanks! ", "So, seriously: "))
    return asks, link + sentence_case(tidy(expand(frame, _SLOTS, rng)))
