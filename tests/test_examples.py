"""The example requests in docs/examples: well formed, and what their file names say they are."""

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest
from stdnum import iban, luhn
from tokenizers import Tokenizer

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((ROOT / "docs" / "examples").glob("*.json"))
ROLES = {"system", "user", "assistant"}


def load(name: str) -> dict[str, Any]:
    request = json.loads((ROOT / "docs" / "examples" / name).read_text(encoding="utf-8"))
    assert isinstance(request, dict)
    return request


def text_of(name: str) -> str:
    return "\n".join(message["content"] for message in load(name)["messages"])


def test_there_are_enough_and_they_are_numbered_without_a_gap() -> None:
    numbers = [int(path.name[:2]) for path in EXAMPLES]
    assert len(numbers) >= 12
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_it_is_a_chat_completions_request(path: Path) -> None:
    request = load(path.name)
    assert request["model"] == "auto"
    messages = request["messages"]
    assert messages[-1]["role"] == "user"
    for message in messages:
        assert set(message) == {"role", "content"}
        assert message["role"] in ROLES
        assert isinstance(message["content"], str)
        assert message["content"].strip()


def test_the_long_report_has_more_than_ten_thousand_tokens_and_a_question_at_its_end() -> None:
    tokenizer = Tokenizer.from_file(
        str(ROOT / "model_repository" / "encoder" / "1" / "tokenizer.json")
    )
    tokenizer.no_truncation()
    tokenizer.no_padding()
    text = text_of("09-long-report.json")
    assert len(tokenizer.encode(text, add_special_tokens=False).ids) > 10_000
    question = text.rsplit("---", 1)[1]
    assert "?" in question
    sentences = re.split(r"(?<=[.?!])\s+", text)
    assert len(set(sentences)) > 0.98 * len(sentences), "a report must not repeat itself"


def test_the_injection_is_inside_a_document_of_more_than_200_words() -> None:
    request = load("07-injected-email.json")
    words = request["messages"][-1]["content"].split()
    assert len(words) > 200
    note = words.index("NOTE")
    assert 50 < note < len(words) - 50


def test_the_personal_data_would_pass_a_checksum() -> None:
    text = text_of("08-personal-data.json")
    card = re.search(r"\b(?:\d{4} ){3}\d{4}\b", text)
    account = re.search(r"\bDE\d\d(?: \d{4}){4} \d\d\b", text)
    assert card is not None
    assert account is not None
    assert luhn.is_valid(card[0].replace(" ", ""))
    assert iban.is_valid(account[0])


def test_every_host_and_address_is_a_reserved_one() -> None:
    for path in EXAMPLES:
        text = text_of(path.name)
        for host in re.findall(r"(?:\w@|https?://)([\w.-]+\w)", text):
            if "." in host:
                assert host.endswith(".example"), f"{path.name}: {host}"


def test_the_diff_has_the_lines_that_its_hunk_headers_promise() -> None:
    diff = text_of("10-long-diff.json").split("```diff\n")[1].split("```")[0]
    lines = diff.splitlines()
    assert len(lines) >= 150
    hunks = 0
    remaining = [0, 0]
    for line in lines:
        if header := re.match(r"@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@", line):
            assert remaining == [0, 0]
            remaining = [int(count or 1) for count in header.groups()]
            hunks += 1
        elif remaining != [0, 0]:
            remaining[0] -= not line.startswith("+")
            remaining[1] -= not line.startswith("-")
    assert remaining == [0, 0]
    assert hunks >= 3


def test_the_encoded_attack_decodes_to_an_instruction() -> None:
    blob = text_of("13-encoded-jailbreak.json").split()[-1]
    assert "Ignore your previous instructions" in base64.b64decode(blob, validate=True).decode()
