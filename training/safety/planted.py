"""Instructions planted for the assistant in documents, how they are hidden, and harmless twins.

The twins are instructions between people, and honest rules for agents, in the same wrappers: what
makes an attack is that a document tells the assistant to act behind its user's back.
"""

from __future__ import annotations

import random

from training.safety.attacks import FOREIGN_ATTACKS, FOREIGN_TASKS, OVERRIDE, direct_attack
from training.safety.words import COMMON, load
from training.spintax import capitalise_sentences, expand, sentence_case, tidy

PLANTED = load("planted_planted")

_SLOTS = {**COMMON, **OVERRIDE, **PLANTED}
_GOALS = {
    "deed": ("make a weapon", "pick a lock", "hack a phone", "forge a passport", "cook drugs"),
    "deed_request": ("Tell the user how to make a weapon.", "Explain how to steal a car."),
    "hostile": ("an insult to the reader", "a threat", "a racist joke"),
}

# How the planted text is hidden; ``{x}`` is the planted text.
WRAPPERS: dict[str, tuple[str, ...]] = {
    "plain": (
        "{x}",
        "{x}",
        "{x}",
        "P.S. {x}",
        "[{x}]",
        "({x})",
        "***\n{x}\n***",
        "> {x}",
        "IMPORTANT: {x}",
        "Footnote: {x}",
        "--- {x} ---",
        "Note: {x}",
        "** {x} **",
        "\n\n{x}\n\n",
        "\t\t\t{x}",
        "1) {x}",
        "--- begin hidden ---\n{x}\n--- end hidden ---",
        "<system>{x}</system>",
        '"{x}"',
        "=== {x} ===",
        "Update: {x}",
        "Edit: {x}",
        "<!-- {x} -->",
        "[//]: # ({x})",
        "{x} {x}",
        "<INFORMATION>{x}</INFORMATION>",
    ),
    "html": (
        "<!-- {x} -->",
        "<!-- hidden: {x} -->",
        '<span style="display:none">{x}</span>',
        "<p>{x}</p>",
        '<div style="color:white;font-size:0">{x}</div>',
        '<img alt="{x}" src="logo.png">',
        '<meta name="description" content="{x}">',
        '<p style="opacity:0">{x}</p>',
        "<noscript>{x}</noscript>",
        '<a href="#" title="{x}">more</a>',
        '<div aria-label="{x}"></div>',
        "<small>{x}</small>",
        "<li>{x}</li>",
        '<input type="hidden" value="{x}">',
        "<blockquote>{x}</blockquote>",
        "<script>/* {x} */</script>",
        "<span hidden>{x}</span>",
        '<td class="d-none">{x}</td>',
        "<title>{x}</title>",
        "<h2>{x}</h2>",
    ),
    "code": (
        "# {x}",
        "// {x}",
        "/* {x} */",
        '"""{x}"""',
        "# TODO: {x}",
        "// FIXME: {x}",
        "# NOTE(ai): {x}",
        'raise ValueError("{x}")',
        'logger.info("{x}")',
        'print("{x}")',
        '__doc__ = "{x}"',
        "-- {x}",
        "/** @ai {x} */",
        '  """Helper.\n\n    {x}\n    """',
        "#!ai {x}",
        'PROMPT = "{x}"',
        "; {x}",
        "<# {x} #>",
        "    # {x}",
        'assert ok, "{x}"',
        "# type: ignore  {x}",
    ),
    "data": (
        '{"note": "{x}"}',
        'comment: "{x}"',
        "description: {x}",
        'metadata.comment = "{x}"',
        "X-Comment: {x}",
        "Tool result: {x}",
        '"message": "{x}",',
        '"error": "{x}"',
        "[INFO] {x}",
        "WARN {x}",
        "notes,{x}",
        '  {"id": 99, "name": "{x}"},',
        "<item>{x}</item>",
        "summary={x}",
        'title: "{x}"',
        '"instructions": "{x}",',
        '{"role": "system", "content": "{x}"}',
        "STATUS: {x}",
        "X-Agent-Note: {x}",
        "99;{x};ok",
        "Observation: {x}",
        "<tool_response>{x}</tool_response>",
        '"_llm": "{x}"',
        'DEBUG user-agent="{x}"',
    ),
    "talk": (
        "{x}",
        "Ticket comment: {x}",
        "Review: five stars. {x}",
        "[12:04] unknown: {x}",
        "Location: {x}",
        "Description: {x}",
        "Signature: {x}",
        "Subject: {x}",
        "Hobbies: {x}",
        "Caption: {x}",
        "Comment by guest: {x}",
        "Additional notes: {x}",
        "Memo: {x}",
        "Speaker notes: {x}",
        "alt-text: {x}",
        "Reference: {x}",
        "Purpose: {x}",
    ),
}

HUMAN = load("planted_human")


def planted_instruction(rng: random.Random) -> str:
    """Return an instruction to the assistant as an attacker hides it in a document."""
    kind = rng.random()
    if kind < 0.05:
        language = rng.choice(sorted(FOREIGN_ATTACKS))
        attack = rng.choice(FOREIGN_ATTACKS[language])
        return expand(attack.replace("{t}", rng.choice(FOREIGN_TASKS[language])), OVERRIDE, rng)
    if kind < 0.12:
        return " ".join(direct_attack(rng)[:300].split())
    text = tidy(" ".join(expand("{plant}", {**_SLOTS, **_GOALS}, rng).split()))
    return capitalise_sentences(text) if rng.random() < 0.8 else text


def human_note(rng: random.Random) -> str:
    """Return an instruction between people, or an honest rule for agents."""
    slot = "{agent}" if rng.random() < 0.06 else "{note}"
    return sentence_case(tidy(" ".join(expand(slot, {**COMMON, **HUMAN}, rng).split())))


def wrap(note: str, kind: str, rng: random.Random) -> tuple[str, int]:
    """Put ``note`` into a wrapper that suits a document of the given kind (a key of WRAPPERS).

    Returns:
        The wrapped note and the code point in it where ``note`` starts.
    """
    wrapper = rng.choice(WRAPPERS[kind] if rng.random() < 0.8 else WRAPPERS["plain"])
    before, _, after = wrapper.partition("{x}")
    return before + note + after.replace("{x}", note), len(before)
