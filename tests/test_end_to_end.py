"""The shipped models in a real Triton: real requests, odd ones and overload."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from pointsman import (
    AsyncRouter,
    Decision,
    OverloadedError,
    RequestTooLargeError,
    Router,
    parse_chat,
    paths,
)
from pointsman.embedded import EmbeddedTriton

pytestmark = pytest.mark.server
EXAMPLES = Path(__file__).parents[1] / "docs" / "examples"


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    folder = paths.model_repository() / "encoder" / "1"
    return Tokenizer.from_file(str(folder / "tokenizer.json"))


@pytest.fixture
def router(triton: EmbeddedTriton) -> Iterator[Router]:
    with Router(triton.grpc_url, timeout_s=60) as router:
        yield router


def example(name: str) -> bytes:
    return (EXAMPLES / f"{name}.json").read_bytes()


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("01-maths", "qwen3-math"),
        ("02-code", "qwen3-coder"),
        ("03-medical", "medgemma"),
        ("05-small-talk", "qwen3-8b"),
        ("10-long-diff", "qwen3-coder"),
    ],
)
def test_ordinary_requests_go_to_their_model(router: Router, name: str, model: str) -> None:
    decision = router.route(example(name))
    assert (decision.action, decision.model) == ("route", model)


@pytest.mark.parametrize("name", ["06-jailbreak", "07-injected-email"])
def test_attacks_are_blocked(router: Router, name: str) -> None:
    decision = router.route(example(name))
    assert (decision.action, decision.model) == ("block", None)
    assert decision.rule.startswith("safety:")


def test_personal_data_is_found_where_it_stands(router: Router) -> None:
    chat = parse_chat(example("08-personal-data"))
    decision = router.route(example("08-personal-data"))
    assert decision.action == "redact"
    found = {span.type: chat.text[span.start : span.end] for span in decision.pii}
    assert "@" in found["EMAIL_ADDRESS"]
    assert sum(map(str.isdigit, found["CREDIT_CARD"])) >= 13
    assert "PERSON" in found


def test_coverage_of_a_long_document_is_true(router: Router, tokenizer: Tokenizer) -> None:
    chat = parse_chat(example("09-long-report"))
    coverage = router.route(example("09-long-report")).coverage
    whole = tokenizer.encode(chat.text, add_special_tokens=False)
    assert coverage.tokens == len(whole.ids) > 10_000
    assert coverage.scanned_characters == len(chat.text)
    assert 400 < coverage.classified_tokens <= 510
    assert not coverage.truncated
    read = sum(any(start <= at < end for start, end in coverage.kept) for at, _ in whole.offsets)
    assert read == coverage.classified_tokens
    question = chat.text.index("From an engineering point of view")
    start, end = coverage.kept[-1]
    assert start <= question
    assert end == len(chat.text)


def test_twenty_thousand_tokens_are_read_whole(triton: EmbeddedTriton) -> None:
    report = parse_chat(example("09-long-report")).text
    tea = "This paragraph is about tea, and about nothing else. " * 900
    with Router(triton.grpc_url, timeout_s=200) as router:
        decision = router.route_text(f"{report}\n\n{tea}", budget=-1)
    coverage = decision.coverage
    assert 20_000 < coverage.tokens == coverage.classified_tokens
    assert coverage.kept == ((0, len(report) + 2 + len(tea)),)
    assert not coverage.truncated
    assert decision.errors == ()


@pytest.mark.parametrize(
    "text",
    [
        "a" * 2_000_000,
        "\n" * 100_000 + "x",
        "Привет 你好 مرحبا नमस्ते สวัสดี 👩‍👩‍👧‍👦 e\u0301 \U0001d54f\r\n" * 500,
        "before\0after",
        "{" * 5000,
    ],
    ids=["2 MB of one letter", "100,000 newlines", "scripts", "NUL", "braces"],
)
def test_odd_texts_get_a_decision(router: Router, text: str) -> None:
    decision = router.route_text(text)
    assert decision.errors == ()
    assert decision.coverage.scanned_characters == len(text)
    assert 0 < decision.coverage.classified_tokens <= decision.coverage.tokens


def test_a_text_over_the_limit_is_refused(router: Router) -> None:
    with pytest.raises(RequestTooLargeError, match="4194304"):
        router.route_text("word " * 900_000)


def test_the_same_request_gets_the_same_decision(router: Router) -> None:
    first, second = (
        json.loads(router.route(example("10-long-diff")).model_dump_json()) for _ in range(2)
    )
    for decision in (first, second):
        del decision["timings_us"]
    assert first == second


async def test_overload_is_an_error_at_once_and_not_a_pile_up(triton: EmbeddedTriton) -> None:
    body = example("10-long-diff")  # fills the classifiers' 512 tokens
    async with AsyncRouter(triton.grpc_url, timeout_s=60, retries=0) as router:
        results = await asyncio.gather(
            *(router.route(body) for _ in range(100)), return_exceptions=True
        )
        refused = [result for result in results if isinstance(result, OverloadedError)]
        decided = [result for result in results if isinstance(result, Decision)]
        assert len(refused) + len(decided) == 100
        assert len(refused) > 20
        assert len(decided) >= 32
        assert (await router.route(body)).action == "route"
