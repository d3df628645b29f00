"""Documents with a request: material around a question, and work on the material itself.

Three rules give the label, whatever the rest of the text is about:

1. A question about a subject decides, wherever it stands and whatever surrounds it.
2. Understanding the material (summarise, explain, find the main points) has the material's
   subject where all of it is of one, else ``other``. Code and logs are computer science, messages
   of a company business.
3. Work on its wording (translate, proofread, shorten) is ``other``, save for code.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence

from training.domain.chat import SYSTEM, code_block, community, passages
from training.domain.wiki import labelled

Pair = tuple[str, str]

_LEADS = (
    "Context:", "Here is a document.", "Read this first:", "See the text below.", "Source:",
    "Retrieved passages:", "Use the following notes if they help.", "Attached file:", "---",
    "Search results:", "My notes so far:", "<document>", "Earlier messages in this thread:",
)  # fmt: skip
_TURNS = (
    "", "", "", "Question: ", "My question: ", "Now answer this: ", "With that in mind: ", "User: ",
    "Something else: ", "Unrelated to the above: ", "Forget the text, I want to know: ", "Q: ",
    "Based on this or on what you know: ", "Here is what I need. ", "</document>\n", "---\n",
)  # fmt: skip
_UNDERSTAND = (
    "Summarise this text.", "Summarize the following in three sentences.", "tl;dr?",
    "What are the main points of this?", "Explain this to a beginner.", "What is this text about?",
    "Give me the key takeaways as bullet points.", "What questions does this leave open?",
    "Write five quiz questions about this text.", "Explain the difficult terms in this text.",
    "I have to present this tomorrow. What matters most?", "Can you explain what this says?",
    "Make study notes from this.", "Is what it says here correct?", "Summarise in simple words:",
)  # fmt: skip
_WORDING = (
    "Proofread this:", "Make this shorter:", "Rewrite this for a blog.", "Correct the grammar.",
    "Translate this into German:", "Translate to Spanish please", "Give this text a title.",
    "Make this sound more formal.", "Rephrase it so that it is not recognised as a copy.",
    "Turn this into a poem.", "Fix the spelling and punctuation below.", "Improve the style.",
    "Rewrite the text in the first person.", "Into French, please:", "Count the words.",
    "List all names in this text.", "Continue this text in the same style.", "Write a headline.",
    "Replace the long sentences by short ones.", "Turn this into a dialogue.", "Make it rhyme.",
    "Which tense is this written in?", "Write a tweet that makes people read this.",
)  # fmt: skip
_CODE_ASK = (
    "What does this code do?", "Where is the bug?", "Review this file.", "Write unit tests for it.",
    "Explain this module.", "Refactor this into smaller functions.", "Add type hints.",
    "Why could this be slow?", "Port this to Rust.", "Document the public functions.",
)  # fmt: skip
_LOG_ASK = (
    "What went wrong here?", "Why does the service keep restarting?", "Find the first error.",
    "Which request failed, and why?", "Summarise this log.", "Write a regex that finds the errors.",
    "Is this an attack or a mistake in the configuration?", "How do I fix this?",
)  # fmt: skip
_MAIL_ASK = (
    "Draft a reply.", "Summarise this thread and list the open points.", "What was agreed?",
    "Who has to do what by when?", "Write a polite answer that declines.", "Prepare the meeting.",
    "What should I tell our customer?", "Turn this into a short status report for management.",
)  # fmt: skip

_SERVICES = ("api-gateway", "auth", "billing", "worker-3", "nginx", "postgres", "kubelet", "cron")
_EVENTS = (
    "connection refused to {h}:{p}", "GET /v1/items/{n} 200 {m}ms", "POST /login 401 {m}ms",
    "retry {k}/5 after timeout", "heap usage {k}3%", "slow query took {m} ms: SELECT * FROM orders",
    "certificate of {h} expires in {k} days", "OOMKilled container exit code 137",
    "Traceback (most recent call last):", '  File "app/{h}.py", line {n}, in handle',
    "KeyError: 'user_{n}'", "health check passed", "cache miss for key session:{n}",
    "deployed revision {n}", "disk /dev/sda{k} at {k}1%", "accepted connection from 10.0.{k}.{n}",
)  # fmt: skip
_PEOPLE = ("Anna", "Tom", "Priya", "Luis", "Mei", "Jonas", "Fatima", "Olga", "Sam", "Claire")
_MAILS = (
    "Could you send me the updated quote for the {n} units by Friday?",
    "The supplier moved the delivery to week {k}; we need to inform the customer.",
    "I talked to finance: the budget for the campaign is approved up to {n},000 euros.",
    "Please find attached the minutes of the call with the retailer.",
    "Our conversion rate fell to {k} % after the price change. Ideas?",
    "Can we move the review of the quarterly figures to Thursday at {k}?",
    "The client asks for a discount of {k} % if they renew for two years.",
    "Marketing wants the new brochure before the trade fair.",
    "I will prepare the slides on market share and margins for the board.",
    "HR needs the job description for the account manager by tomorrow.",
    "Thanks, that works for me. I will put it on the agenda.",
    "Invoice {n} is still unpaid. Should we send a second reminder?",
    "Let's agree on the payment terms before we sign the framework contract.",
)  # fmt: skip


def _fill(template: str, rng: random.Random) -> str:
    return (
        template.replace("{n}", str(rng.randint(11, 980)))
        .replace("{k}", str(rng.randint(2, 9)))
        .replace("{m}", str(rng.randint(3, 4000)))
        .replace("{p}", rng.choice(("5432", "6379", "8080", "443")))
        .replace("{h}", rng.choice(("db", "cache", "orders", "users", "mail", "search")))
    )


def log(rng: random.Random) -> str:
    """A made-up stretch of the log of a few services."""
    month, day, hour, second = rng.randint(1, 9), rng.randint(10, 28), rng.randint(0, 22), 0
    out = []
    for _ in range(rng.randint(5, 12)):
        second += rng.randint(0, 90)
        level = rng.choices(("INFO", "WARN", "ERROR", "DEBUG"), (6, 2, 2, 2))[0]
        event = _fill(rng.choice(_EVENTS), rng)
        out.append(
            f"2025-0{month}-{day} {hour:02}:{second // 60:02}:{second % 60:02} "
            f"{level} {rng.choice(_SERVICES)} {event}"
        )
    return "\n".join(out)


def mail(rng: random.Random) -> str:
    """A made-up e-mail between colleagues."""
    writer, reader = rng.sample(_PEOPLE, 2)
    body = "\n".join(_fill(line, rng) for line in rng.sample(_MAILS, rng.randint(1, 3)))
    return f"From: {writer}\nTo: {reader}\n\nHi {reader},\n{body}\nBest, {writer}"


def grown(make: Callable[[], str], characters: int) -> str:
    """Pieces joined by blank lines until the text has at least ``characters``."""
    pieces, size = [], 0
    while size < characters:
        pieces.append(make())
        size += len(pieces[-1]) + 2
    return "\n\n".join(pieces)


def around(material: str, question: str, rng: random.Random) -> str:
    """The question after the material (mostly), before it, or on both sides of the material."""
    lead, turn = rng.choice((*SYSTEM, *_LEADS, "", "", "")), rng.choice(_TURNS)
    draw = rng.random()
    if draw < 0.75:
        return f"{lead}\n{material}\n\n{turn}{question}".strip("\n")
    if draw < 0.95:
        return f"{question}\n\n{lead}\n{material}".strip("\n")
    middle = material.find("\n", len(material) // 2)
    middle = len(material) if middle < 0 else middle
    return f"{material[:middle]}\n\n{turn}{question}\n\n{material[middle:].lstrip()}".strip("\n")


def _articles_of(label: str) -> list[str]:
    return [article.text for article in labelled() if article.label == label]


def _material(label: str, questions: Sequence[str], size: int, rng: random.Random) -> str:
    """Text to surround a question of ``label``: half of the time of another kind or subject."""
    draw = rng.random()
    if draw < 0.25:
        own = _articles_of(label)
        return grown(lambda: rng.choice(own), size)
    if draw < 0.4:
        return grown(lambda: rng.choice(questions), size)
    if draw < 0.65:
        anything = passages()
        return grown(lambda: rng.choice(anything), size)
    if draw < 0.75:
        return grown(lambda: code_block(rng), size)
    if draw < 0.83:
        return grown(lambda: log(rng), size)
    if draw < 0.91:
        return grown(lambda: mail(rng), size)
    prompts = [text for text, _ in community()]
    return grown(lambda: rng.choice(prompts), size)


def _work(size: int, rng: random.Random) -> Pair:
    """Material and a request to work on it: rules 2 and 3."""
    draw = rng.random()
    if draw < 0.15:
        return around(grown(lambda: code_block(rng), size), rng.choice(_CODE_ASK), rng), _CODE
    if draw < 0.25:
        return around(grown(lambda: log(rng), size), rng.choice(_LOG_ASK), rng), _CODE
    if draw < 0.35:
        return around(grown(lambda: mail(rng), size), rng.choice(_MAIL_ASK), rng), "business"
    if draw < 0.7:
        anything = passages()
        return around(grown(lambda: rng.choice(anything), size), rng.choice(_WORDING), rng), "other"
    label = rng.choice(sorted({article.label for article in labelled()}))
    own = _articles_of(label)
    return around(grown(lambda: rng.choice(own), size), rng.choice(_UNDERSTAND), rng), label


_CODE = "computer science"


def documents(
    rng: random.Random, questions: Mapping[str, Sequence[str]], sizes: Sequence[int]
) -> list[Pair]:
    """Documents with a question, or with work to do on them.

    Args:
        rng: source of randomness.
        questions: bare questions by label.
        sizes: least length of each document's material, in characters.
    """
    labels = sorted(questions)
    pairs: list[Pair] = []
    for size in sizes:
        if rng.random() < 0.35:
            pairs.append(_work(size, rng))
            continue
        label = rng.choice(labels)
        question = rng.choice(questions[label])
        pairs.append((around(_material(label, questions[label], size, rng), question, rng), label))
    return [(re.sub(r"\n{3,}", "\n\n", text), label) for text, label in pairs]
