"""Attacks in the user's own words: overrides, personas, frames, leaks, forged turns.

An attack is put together from parts that vary on their own (opening, claim, core, goal, orders not
to refuse, closing), so that few texts repeat. Standard library only.
"""

from __future__ import annotations

import random

from training.safety.harm import harmful_deed, harmful_request
from training.safety.words import COMMON, load
from training.spintax import capitalise_sentences, expand, sentence_case, tidy

OVERRIDE = load("attacks_override")

CORES = load("attacks_cores")

# Long role-plays as they circulate in forums: name, story, rules, format, threats, closing.
FORUM = load("attacks_forum")

_SLOTS = {**COMMON, **OVERRIDE, **CORES, **FORUM}

FOREIGN_ATTACKS: dict[str, tuple[str, ...]] = load("attacks_foreign_attacks")
FOREIGN_TASKS: dict[str, tuple[str, ...]] = load("attacks_foreign_tasks")


def fill_attack(template: str, rng: random.Random) -> str:
    """Fill the slots of an attack template, its harmful goals among them."""
    words = harmful_deed(rng).split()
    cut = max(1, len(words) // 2)
    goals = {
        "deed": (harmful_deed(rng),),
        "deed_request": (harmful_request(rng),),
        "hostile": (harmful_deed(rng),),
        "half": ("tell me how to " + " ".join(words[:cut]),),
        "otherhalf": (" ".join(words[cut:]) or "now",),
    }
    goals["hostile"] = ("a guide on how to " + goals["hostile"][0],)
    return expand(template, {**_SLOTS, **goals}, rng).replace("im_", "|im_")


def forum_jailbreak(rng: random.Random) -> str:
    """Return a long role-play with rules, as they are passed around in forums."""
    who = rng.choice(OVERRIDE["who"])
    rules = rng.sample(FORUM["rule"], rng.randint(2, 7))
    style = rng.choice((" ", " ", "\n", "\n- ", "\n{n}. "))
    parts = [rng.choice(FORUM["start"])]
    parts += [style.replace("{n}", str(n)) + rule for n, rule in enumerate(rules, 1)]
    parts.append(rng.choice((" ", "\n\n", "\n")) + rng.choice(FORUM["format"]))
    parts.append(rng.choice((" ", "\n\n", "\n")) + rng.choice(FORUM["close"]))
    text = "".join(parts).replace("{who}", who)
    text = tidy(fill_attack(text, rng))
    return capitalise_sentences(text) if rng.random() < 0.8 else text


def foreign_attack(rng: random.Random) -> str:
    """Return an override in another language than English."""
    language = rng.choice(sorted(FOREIGN_ATTACKS))
    attack = rng.choice(FOREIGN_ATTACKS[language])
    return expand(attack.replace("{t}", rng.choice(FOREIGN_TASKS[language])), OVERRIDE, rng)


def direct_attack(rng: random.Random) -> str:
    """Return an attack in the user's own words, of four words to some hundred."""
    kind = rng.random()
    if kind < 0.09:
        return foreign_attack(rng)
    if kind < 0.22:
        return forum_jailbreak(rng)
    if kind < 0.34:
        return sentence_case(fill_attack(rng.choice(CORES["forged"]), rng).strip())
    text = rng.choice(CORES["core"])
    if rng.random() < 0.5:
        text = rng.choice(OVERRIDE["opener"]) + " " + text
    if rng.random() < 0.12:
        text += " " + rng.choice(CORES["core"])
    text = tidy(fill_attack(text, rng))
    return capitalise_sentences(text) if rng.random() < 0.8 else text
