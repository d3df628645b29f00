"""The policy file: what to do with a request, given what the classifiers found.

docs/policy.md describes every key. A file that is wrong in any way is refused as a whole, with one
line that names the file, the line and the key.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic_core import ErrorDetails

__all__ = [
    "AUTO",
    "BENIGN",
    "PII_TYPES",
    "SAFETY_LABELS",
    "Labels",
    "Policy",
    "PolicyError",
    "PolicyFile",
    "load_policy_file",
]

AUTO = "auto"
"""The model that a request names when it leaves the choice to the decision."""

BENIGN = "benign"
SAFETY_LABELS = (BENIGN, "jailbreak", "harmful")
"""Labels that a policy may name even when the safety classifier lacks them."""

PII_TYPES = (
    "AGE",
    "CREDIT_CARD",
    "DATE_TIME",
    "DOMAIN_NAME",
    "EMAIL_ADDRESS",
    "GPE",
    "IBAN_CODE",
    "IP_ADDRESS",
    "NRP",
    "ORGANIZATION",
    "PERSON",
    "PHONE_NUMBER",
    "STREET_ADDRESS",
    "TITLE",
    "US_DRIVER_LICENSE",
    "US_SSN",
    "ZIP_CODE",
)
"""Types that a policy may name even when the PII classifier lacks them: patterns find some."""

Name = Annotated[str, StringConstraints(min_length=1, pattern=r"^\S(.*\S)?$")]
Probability = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class PolicyError(ValueError):
    """A policy file cannot be used; the text is one line with the file, the line and the key."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Model(_Strict):
    """A model behind the router; ``endpoint`` is the base URL of its OpenAI-compatible API."""

    endpoint: Annotated[str, StringConstraints(pattern=r"^https?://[^\s/]+\S*$")]


class SafetyRule(_Strict):
    """Fires when the label's probability is at least ``threshold``.

    For the likeliest unsafe label, that of all unsafe labels together.
    """

    threshold: Probability
    action: Literal["allow", "flag", "block"]


class PiiRules(_Strict):
    """``types`` has the action for each type, ``default`` the one for all others.

    With ``restore``, who forwards requests puts the values back into the replies.
    """

    threshold: Probability
    default: Literal["allow", "redact", "flag", "block"]
    types: dict[Name, Literal["allow", "redact", "flag", "block"]] = {}
    restore: bool = False


class CoverageRules(_Strict):
    """What to do when the classifiers did not read every token of the text."""

    compressed: Literal["allow", "flag", "block"]
    truncated: Literal["allow", "flag", "block"]


class Policy(_Strict):
    """One named policy. There is no way to let a request pass unmarked whose checks could not run.

    ``exempt_models``, ``on_block``, ``early_block`` and ``pii.restore`` are for those who forward
    requests, the gateway and the Envoy filter; a decision does not depend on them.
    """

    default_model: Name
    domains: dict[Name, Name] = {}
    domain_threshold: Probability
    safety: dict[Name, SafetyRule]
    pii: PiiRules
    coverage: CoverageRules
    on_error: Literal["flag", "block"] = "block"
    on_block: Literal["error", "refusal"] = "error"
    exempt_models: list[Name] = []
    early_block: bool = False


class PolicyFile(_Strict):
    """The whole of a policy.yaml."""

    version: Literal[1]
    default_policy: Name
    models: dict[Name, Model]
    policies: dict[Name, Policy]


@dataclass(frozen=True)
class Labels:
    """The classifiers' labels in the order of their logits."""

    safety: tuple[str, ...]
    domain: tuple[str, ...]
    pii: tuple[str, ...]


Location = tuple[str | int, ...]


def load_policy_file(path: Path, labels: Labels | None = None) -> PolicyFile:
    """Read and check a policy file.

    Args:
        path: The YAML file.
        labels: When given, every label and PII type in the file must exist. The safety labels
            and PII types of this module always do: a checkpoint may lack some of them.

    Raises:
        PolicyError: The file cannot be read or used; its text is one line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise PolicyError(f"{path}: cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise PolicyError(f"{path}: not UTF-8 at byte {error.start}") from None
    try:
        root, document = _parse(text)
    except yaml.YAMLError as error:
        raise PolicyError(_yaml_message(path, error)) from None
    except (ValueError, RecursionError) as error:  # a date that is none; nesting without end
        raise PolicyError(f"{path}: not YAML: {error}") from None
    try:
        policies = PolicyFile.model_validate(document)
    except ValidationError as error:
        problems = [(problem["loc"], _message(problem)) for problem in error.errors()]
    else:
        problems = list(_cross_checks(policies, labels))
    if not problems:
        return policies
    located = [(_line(root, location), location, message) for location, message in problems]
    line, location, message = min(located, key=lambda problem: problem[0])
    key = ".".join(str(part) for part in location if part != "[key]") or "the file"
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    raise PolicyError(f"{path}, line {line}: {key}: {message}{more}")


def _parse(text: str) -> tuple[yaml.Node | None, Any]:
    """The node tree, which knows lines, and the plain document."""
    loader = yaml.SafeLoader(text)
    try:
        root = loader.get_single_node()
        if root is None:
            return None, None
        _refuse_duplicate_keys(root, set())
        return root, loader.construct_document(root)
    finally:
        loader.dispose()


def _refuse_duplicate_keys(node: yaml.Node, seen: set[int]) -> None:
    if id(node) in seen:  # an alias
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _refuse_duplicate_keys(item, seen)
    elif isinstance(node, yaml.MappingNode):
        lines: dict[str, int] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(
                    problem="a key must be a word", problem_mark=key.start_mark
                )
            if key.value in lines:
                raise yaml.MarkedYAMLError(
                    problem=f'key "{key.value}" is already on line {lines[key.value]}',
                    problem_mark=key.start_mark,
                )
            lines[key.value] = key.start_mark.line + 1
            _refuse_duplicate_keys(value, seen)


def _yaml_message(path: Path, error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        problem = error.problem or "not YAML"
        context = f" {error.context}" if error.context else ""
        return f"{path}, line {error.problem_mark.line + 1}: {problem}{context}"
    return f"{path}: not YAML: {' '.join(str(error).split())}"


def _message(problem: ErrorDetails) -> str:
    match problem["type"]:
        case "extra_forbidden":
            return "unknown key"
        case "missing":
            return "is missing"
    text = str(problem["msg"]).replace("Input should be", "must be")
    value = problem["input"]
    return f"{text}, not {value!r}" if isinstance(value, (str, int, float, type(None))) else text


def _line(root: yaml.Node | None, location: Location) -> int:
    """The line of the innermost part of `location` that the file has, from 1."""
    if root is None:
        return 1
    node, line = root, root.start_mark.line
    for part in location:
        if isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            node = node.value[part]
            line = node.start_mark.line
            continue
        if not isinstance(node, yaml.MappingNode):
            break
        found = [(key, value) for key, value in node.value if key.value == str(part)]
        if not found:
            break
        # The last one counts: a merge key puts what it brings before the mapping's own keys.
        key, node = found[-1]
        line = key.start_mark.line
    return int(line) + 1


def _cross_checks(file: PolicyFile, labels: Labels | None) -> Iterator[tuple[Location, str]]:
    """What the types alone cannot say, as (location, message)."""
    if file.default_policy not in file.policies:
        yield ("default_policy",), _unknown("policy", file.default_policy, file.policies)
    for name, policy in file.policies.items():
        here: Location = ("policies", name)
        if policy.default_model not in file.models:
            yield (*here, "default_model"), _unknown("model", policy.default_model, file.models)
        for label, model in policy.domains.items():
            if model not in file.models:
                yield (*here, "domains", label), _unknown("model", model, file.models)
            if labels and label not in labels.domain:
                yield (*here, "domains", label), _unknown("domain", label, labels.domain)
        for index, model in enumerate(policy.exempt_models):
            if model == AUTO:
                yield (
                    (*here, "exempt_models", index),
                    f'"{AUTO}" asks for a decision; it cannot be exempt from one',
                )
        safety = dict.fromkeys((*SAFETY_LABELS, *(labels.safety if labels else ())))
        for label in policy.safety:
            if label == BENIGN:
                yield (*here, "safety", label), "no rule can fire on benign; name an unsafe label"
            elif labels and label not in safety:
                yield (*here, "safety", label), _unknown("safety label", label, safety)
        pii = dict.fromkeys((*PII_TYPES, *(_types(labels.pii) if labels else ())))
        for type_ in policy.pii.types:
            if labels and type_ not in pii:
                yield (*here, "pii", "types", type_), _unknown("PII type", type_, pii)


def _types(labels: tuple[str, ...]) -> list[str]:
    return [label[2:] for label in labels if label.startswith("B-")]


def _unknown(what: str, name: str, known: Iterable[str]) -> str:
    return f'no {what} "{name}"; there are: {", ".join(known)}'
