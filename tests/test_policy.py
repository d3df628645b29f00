"""policy.yaml: the shipped one loads; a wrong one is refused with its line and key."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman_backends.router.policy import (
    PII_TYPES,
    Labels,
    PolicyError,
    PolicyFile,
    load_policy_file,
)

SHIPPED = Path(__file__).parents[1] / "model_repository" / "router" / "1" / "policy.yaml"
DOMAINS = (
    "biology", "chemistry", "computer science", "economics", "engineering", "health", "history",
    "law", "math", "other", "philosophy", "physics", "psychology", "business",
)  # fmt: skip
PII = ("O", *itertools.chain.from_iterable((f"B-{t}", f"I-{t}") for t in PII_TYPES))
LABELS = Labels(("benign", "jailbreak", "harmful"), DOMAINS, PII)

MINIMAL = """\
version: 1
default_policy: only
models:
  small: {endpoint: "http://127.0.0.1:8100/v1"}
policies:
  only:
    default_model: small
    domain_threshold: 0.5
    domains:
      math: small
    safety:
      jailbreak: {threshold: 0.5, action: block}
    pii:
      threshold: 0.5
      default: redact
      types:
        PERSON: allow
    coverage: {compressed: allow, truncated: flag}
    on_error: block
"""


def load(tmp_path: Path, text: str, labels: Labels | None = LABELS) -> PolicyFile:
    path = tmp_path / "policy.yaml"
    path.write_text(text)
    return load_policy_file(path, labels)


def refusal(tmp_path: Path, text: str, labels: Labels | None = LABELS) -> tuple[int, str]:
    """The line number and the rest of the one-line message."""
    with pytest.raises(PolicyError) as caught:
        load(tmp_path, text, labels)
    message = str(caught.value)
    assert "\n" not in message
    match = re.fullmatch(rf"{re.escape(str(tmp_path))}/policy\.yaml, line (\d+): (.*)", message)
    assert match, message
    return int(match[1]), match[2]


def line_of(text: str, fragment: str) -> int:
    (line,) = (i for i, line in enumerate(text.splitlines(), 1) if fragment in line)
    return line


def test_the_shipped_file_loads_and_has_the_policies_promised() -> None:
    file = load_policy_file(SHIPPED, LABELS)
    assert {"default", "strict"} <= set(file.policies)
    for policy in file.policies.values():
        assert policy.on_error == "block"
        assert {"jailbreak", "harmful"} <= set(policy.safety)
        for type_ in ("EMAIL_ADDRESS", "CREDIT_CARD", "IBAN_CODE", "US_SSN", "PHONE_NUMBER"):
            assert policy.pii.types.get(type_, policy.pii.default) in ("redact", "block")
    default = file.policies["default"]
    assert default.domains["computer science"] == "qwen3-coder"
    assert default.pii.types["PERSON"] == "allow"


def test_the_example_of_the_guide_loads(tmp_path: Path) -> None:
    guide = (Path(__file__).parents[1] / "docs" / "policy.md").read_text()
    (example,) = re.findall(r"^```yaml\n(.*?)^```", guide, re.M | re.S)
    assert load(tmp_path, example).policies["default"].domains == {"computer science": "coder"}


def test_a_minimal_file_loads_and_is_frozen(tmp_path: Path) -> None:
    file = load(tmp_path, MINIMAL)
    assert file.policies["only"].safety["jailbreak"].threshold == 0.5
    with pytest.raises(ValueError, match="frozen"):
        file.default_policy = "other"  # type: ignore[misc]


def test_the_keys_for_who_forwards_requests_are_optional(tmp_path: Path) -> None:
    plain = load(tmp_path, MINIMAL).policies["only"]
    assert (plain.exempt_models, plain.on_block, plain.pii.restore) == ([], "error", False)
    assert not plain.early_block
    text = MINIMAL.replace("PERSON: allow", "PERSON: allow\n      restore: true")
    text += "    on_block: refusal\n    exempt_models: [small, lora]\n    early_block: true\n"
    policy = load(tmp_path, text).policies["only"]
    assert (policy.exempt_models, policy.on_block) == (["small", "lora"], "refusal")
    assert policy.pii.restore
    assert policy.early_block


@pytest.mark.parametrize(
    ("line", "key", "complaint"),
    [
        ("on_block: drop", "on_block", "'refusal'"),
        ("exempt_models: small", "exempt_models", "list"),
        ("exempt_models: [small, auto]", "exempt_models.1", "asks for a decision"),
        ('exempt_models: [""]', "exempt_models.0", "at least 1"),
        ("early_block: 1", "early_block", "boolean"),
    ],
)
def test_mistakes_in_the_keys_for_who_forwards_requests_are_named(
    tmp_path: Path, line: str, key: str, complaint: str
) -> None:
    text = MINIMAL + f"    {line}\n"
    where, message = refusal(tmp_path, text)
    assert where == line_of(text, line)
    assert message.startswith(f"policies.only.{key}: ")
    assert complaint in message


def test_on_error_is_block_when_it_is_not_given(tmp_path: Path) -> None:
    file = load(tmp_path, MINIMAL.replace("    on_error: block\n", ""))
    assert file.policies["only"].on_error == "block"


@pytest.mark.parametrize(
    ("old", "new", "key", "complaint"),
    [
        ("version: 1", "version: 2", "version", "must be 1"),
        ("default_policy: only", "default_policy: lax", "default_policy", 'no policy "lax"'),
        ('"http://127.0.0.1:8100/v1"', "localhost", "models.small.endpoint", "pattern"),
        ("default_model: small", "default_model: big", "default_model", 'no model "big"'),
        ("domain_threshold: 0.5", "domain_threshold: 1.5", "domain_threshold", "1.5"),
        ("domain_threshold: 0.5", "domain_threshold: .nan", "domain_threshold", "finite"),
        ("domain_threshold: 0.5", 'domain_threshold: "0.5"', "domain_threshold", "number"),
        ("domain_threshold: 0.5", "domain_threshold: yes", "domain_threshold", "number"),
        ("math: small", "maths: small", "domains.maths", 'no domain "maths"'),
        ("math: small", "math: big", "domains.math", 'no model "big"'),
        ("jailbreak: {", "jailbrake: {", "safety.jailbrake", "no safety label"),
        ("jailbreak: {", "benign: {", "safety.benign", "unsafe label"),
        ("action: block", "action: stop", "safety.jailbreak.action", "'block'"),
        ("action: block", "action: redact", "safety.jailbreak.action", "'block'"),
        ("{threshold: 0.5, a", "{a", "safety.jailbreak.threshold", "missing"),
        ("PERSON: allow", "PERSONS: allow", "pii.types.PERSONS", "no PII type"),
        ("PERSON: allow", "PERSON: ignore", "pii.types.PERSON", "'redact'"),
        ("on_error: block", "on_error: allow", "on_error", "'flag' or 'block'"),
        ("on_error: block", "on_error: route", "on_error", "'flag' or 'block'"),
        ("on_error: block", "on_eror: block", "on_eror", "unknown key"),
        ("truncated: flag}", "truncated: redact}", "coverage.truncated", "'block'"),
    ],
)
def test_a_mistake_is_named_with_its_line_and_key(
    tmp_path: Path, old: str, new: str, key: str, complaint: str
) -> None:
    text = MINIMAL.replace(old, new)
    assert text != MINIMAL
    line, message = refusal(tmp_path, text)
    assert line == line_of(text, new)
    where, _, what = message.partition(": ")
    assert where.endswith(key)
    assert complaint in what


def test_a_missing_section_is_named_at_its_parent(tmp_path: Path) -> None:
    text = MINIMAL.replace("    coverage: {compressed: allow, truncated: flag}\n", "")
    line, message = refusal(tmp_path, text)
    assert line == line_of(text, "  only:")
    assert message == "policies.only.coverage: is missing"


def test_the_first_of_several_mistakes_is_named_and_the_others_counted(tmp_path: Path) -> None:
    text = MINIMAL.replace("domain_threshold: 0.5", "domain_threshold: 7").replace(
        "version: 1", "version: 3"
    )
    line, message = refusal(tmp_path, text)
    assert line == 1
    assert message.endswith("(and 1 more)")


@pytest.mark.parametrize("block", ["    on_error: block\n", "      math: small\n"])
def test_duplicate_keys_are_refused(tmp_path: Path, block: str) -> None:
    text = MINIMAL.replace(block, block + block)
    line, message = refusal(tmp_path, text)
    first = MINIMAL.splitlines().index(block.rstrip("\n")) + 1
    assert line == first + 1
    assert f"is already on line {first}" in message


def test_a_duplicate_key_on_one_line_is_refused(tmp_path: Path) -> None:
    text = MINIMAL.replace("action: block}", "action: block, action: allow}")
    _, message = refusal(tmp_path, text)
    assert 'key "action" is already' in message


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("version: 1\npolicies: [\n", 3),
        ("version: 1\n  default: x\n", 2),
        ("version: 1\n\tdefault: x\n", 2),
        ("a: *nothing\n", 1),
        ("a: 1\n? [1, 2]\n: 3\n", 2),
        ("a: !!python/object:os.system {}\n", 1),
    ],
)
def test_a_yaml_mistake_is_named_with_its_line(tmp_path: Path, text: str, line: int) -> None:
    assert refusal(tmp_path, text)[0] == line


@pytest.mark.parametrize("text", ["", "# nothing\n", "just words\n", "[1, 2]\n", "42\n"])
def test_what_is_not_a_policy_at_all_is_refused(tmp_path: Path, text: str) -> None:
    assert refusal(tmp_path, text)[0] == 1


@pytest.mark.parametrize("content", [b"\xff\xfe", b"a: 2024-13-45\n", b"[" * 5000])
def test_unreadable_content_is_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "policy.yaml"
    path.write_bytes(content)
    with pytest.raises(PolicyError, match=r"policy\.yaml") as caught:
        load_policy_file(path)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="cannot be read: No such file"):
        load_policy_file(tmp_path / "policy.yaml")


def test_anchors_and_merge_keys_work_and_keep_their_lines(tmp_path: Path) -> None:
    text = MINIMAL.replace("  only:\n", "  only: &base\n") + "  other:\n    <<: *base\n"
    file = load(tmp_path, text + "    domain_threshold: 0.9\n")
    assert file.policies["other"].default_model == "small"
    assert file.policies["other"].domain_threshold == 0.9
    line, _ = refusal(tmp_path, text + "    domain_threshold: 9\n")
    assert line == len(text.splitlines()) + 1


def test_a_two_label_checkpoint_takes_rules_for_the_label_it_lacks(tmp_path: Path) -> None:
    two = Labels(("benign", "jailbreak"), DOMAINS, PII)
    assert load_policy_file(SHIPPED, two).policies["default"].safety["harmful"].action == "block"


def test_without_labels_only_the_file_itself_is_checked(tmp_path: Path) -> None:
    text = MINIMAL.replace("math: small", "astrology: small")
    assert load(tmp_path, text, None).policies["only"].domains == {"astrology": "small"}
    refusal(tmp_path, text, LABELS)


@settings(max_examples=50)
@given(st.data())
def test_any_damage_to_the_text_is_a_policy_or_one_line(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    text = SHIPPED.read_text()
    at = data.draw(st.integers(0, len(text) - 1))
    length = data.draw(st.integers(0, 30))
    insert = data.draw(st.text("abc:{}[]&*!|>'\"%@`#- \n\t0.5", max_size=8))
    path = tmp_path_factory.getbasetemp() / "damaged.yaml"
    path.write_text(text[:at] + insert + text[at + length :])
    message = f"{path}"
    try:
        load_policy_file(path, LABELS)
    except PolicyError as error:
        message = str(error)
    assert "\n" not in message
    assert message.startswith(str(path))
