"""Ordinary requests to an assistant, and hard negatives.

Most are everyday traffic, put together from kinds of text, purposes, readers and constraints; the
rest share words or form with attacks: role-play that is fine, instructions between people, security
work, questions about jailbreaks, dangerous-sounding words used harmlessly.
"""

from __future__ import annotations

import random

from training.safety.attacks import OVERRIDE
from training.safety.words import COMMON, load
from training.spintax import expand, sentence_case, tidy

EVERYDAY = load("benign_everyday")

TRAPS = load("benign_traps")

CLASSIC = load("benign_classic")
FOREIGN_BENIGN = load("benign_foreign")["request"]

_SLOTS = {
    **COMMON,
    **{k: OVERRIDE[k] for k in ("drop", "which", "prior", "rules", "drop_all", "told")},
}
BENIGN = {**_SLOTS, **CLASSIC, **EVERYDAY, **TRAPS}

# Kind and how often it is drawn.
KINDS: tuple[tuple[str, int], ...] = (
    ("{make} {piece} {for|about} {subject}{ {with}|}.", 22),
    ("{biz}", 8),
    ("{writing}", 8),
    ("{study}", 10),
    ("{home}", 8),
    ("{life}", 7),
    ("{tech}", 8),
    ("{task}", 7),
    ("{chat}", 4),
    ("{opinion}", 4),
    ("{letter_to}", 1),
    ("{how}", 3),
    ("{food}", 2),
    ("{ask}", 3),
    ("{work}", 4),
    ("{codework}", 2),
    ("{instruct}", 7),
    ("{trap}", 6),
    ("{role}", 2),
    ("{defend}", 3),
    ("{neg_role}", 7),
    ("{neg_ai}", 6),
    ("{neg_order}", 8),
    ("{neg_sec}", 5),
)
_SYSTEM = ("{sysprompt}\n", "{sysprompt}\n\n", "{sysprompt}\nUser: ")
_AFTER = (
    "",
    "",
    "",
    "",
    "",
    "",
    " {make} {piece} {for|about} {subject}.",
    " {human_order}",
    "\n{study}",
)


def benign_request(rng: random.Random) -> str:
    """Return an everyday request or a hard negative, sometimes behind a system prompt."""
    kinds, weights = zip(*KINDS, strict=True)
    text = rng.choices(kinds, weights)[0] + rng.choice(_AFTER)
    text = sentence_case(tidy(expand(text, BENIGN, rng)))
    return expand(rng.choice(_SYSTEM), BENIGN, rng) + text if rng.random() < 0.07 else text


def system_prompt(rng: random.Random) -> str:
    """Return an ordinary system prompt."""
    return expand("{sysprompt}", BENIGN, rng)


def asked(ask: str, rng: random.Random) -> tuple[str, str]:
    """Return what stands before and after a text about which ``ask``, a slot, is asked."""
    request = expand("{" + ask + "}", BENIGN, rng)
    sep = rng.choice(("\n", "\n\n", " ", "\n---\n", '\n"""\n', ":\n"))
    if not request:
        return "", ""
    return ("", sep + request) if rng.random() < 0.3 else (request + sep, "")
