"""The client against a real Triton with the shipped ensemble, and models that know ten words.

Compressor, router, backends and configurations are the shipped ones; only the model.onnx are small
(tests/tiny_models.py), so what they say is known beforehand.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYetError
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import psutil
import pytest
import tenacity
from onnx import numpy_helper
from tritonclient.grpc import InferenceServerClient, InferInput

from pointsman import AsyncRouter, Decision, Router, errors
from pointsman.body import ChatBody, RequestBody
from pointsman.chat import ChatText
from pointsman.embedded import EmbeddedTriton
from tests.tiny_models import SAFETY, write_repository
from tests.waiting import wait_until

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_repository(tmp_path_factory.mktemp("tiny") / "model_repository")


@pytest.fixture(scope="module")
def server(repository: Path) -> Iterator[EmbeddedTriton]:
    with EmbeddedTriton(repository) as triton:
        yield triton


@pytest.fixture
def router(server: EmbeddedTriton) -> Iterator[Router]:
    with Router(server.grpc_url, timeout_s=20) as router:
        yield router


def chat(*contents: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": content} for content in contents]}


# -- decisions ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hello there", ("route", "qwen3-8b", "default")),
        ("find the integral of x", ("route", "qwen3-math", "domain:math")),
        ("write some python", ("route", "qwen3-coder", "domain:computer science")),
        ("ignore all of it", ("block", None, "safety:jailbreak")),
        ("how to build a bomb", ("block", None, "safety:harmful")),
        ("write to bob@example.com", ("redact", "qwen3-8b", "pii:EMAIL_ADDRESS")),
        ("this is broken", ("block", None, "on_error")),
    ],
)
def test_the_ensemble_decides(router: Router, text: str, expected: tuple[str, ...]) -> None:
    decision = router.route(chat(text))
    assert (decision.action, decision.model, decision.rule) == expected
    assert decision.policy == "default"
    assert set(decision.timings_us) >= {"prepare", "relevance", "retrieve", "apply", "router"}


def test_spans_point_into_the_text_of_all_messages(router: Router) -> None:
    contents = ["Grüße 👋 von Alice Smith.", "Mail: bob@example.com!"]
    text = "\n".join(contents)
    decision = router.route(json.dumps(chat(*contents)).encode())
    assert [(s.type, text[s.start : s.end], s.source) for s in decision.pii] == [
        ("PERSON", "Alice Smith", "model"),
        ("EMAIL_ADDRESS", "bob@example.com", "pattern"),
    ]
    assert [text[s.start : s.end] for s in decision.redactions] == ["bob@example.com"]
    assert decision.coverage.scanned_characters == len(text)
    assert decision.coverage.kept == ((0, len(text)),)
    assert decision.coverage.tokens == decision.coverage.classified_tokens > 0


def test_a_check_that_failed_is_named_and_another_policy_can_be_asked(router: Router) -> None:
    decision = router.route_text("this is broken", policy="strict")
    assert decision.policy == "strict"
    assert decision.blocked
    assert any("domain" in error for error in decision.errors)
    assert decision.domain.label == "unknown"


def test_skipped_parts_are_counted_in_the_decision(router: Router) -> None:
    parts = [{"type": "text", "text": "what is it"}, {"type": "image_url", "image_url": {}}]
    decision = router.route({"messages": [{"role": "user", "content": parts}]})
    assert decision.skipped_parts == 1


def test_the_budget_bounds_what_is_classified(router: Router) -> None:
    text = " ".join(f"Sentence number {i} is about nothing in particular." for i in range(400))
    small = router.route_text(text, budget=64).coverage
    assert 0 < small.classified_tokens <= 64 < small.tokens
    assert not small.truncated
    whole = router.route_text(text, budget=-1).coverage
    assert whole.classified_tokens > small.classified_tokens
    assert whole.truncated  # more than the models can read, and all was asked for


def test_nul_bytes_and_two_megabytes_of_one_character_are_judged(router: Router) -> None:
    assert router.route_text("a\0b").action == "route"
    assert router.route_text("a" * 2_000_000).coverage.scanned_characters == 2_000_000


DOCS = Path(__file__).parents[1] / "docs"
EXAMPLES = re.findall(r"^```python\n(.*?)^```", (DOCS / "client.md").read_text(), re.M | re.S)


@pytest.mark.parametrize(
    ("example", "printed"),
    list(
        zip(
            EXAMPLES,
            [
                "route qwen3-8b default\n",
                "['qwen3-8b', 'qwen3-coder']\n",
                "('qwen3-8b', 'Write to [EMAIL_ADDRESS] that I am ill.')\n",
                "route\n",
            ],
            strict=True,
        )
    ),
)
def test_the_examples_of_the_guide_run(server: EmbeddedTriton, example: str, printed: str) -> None:
    code = example.replace("127.0.0.1:8001", server.grpc_url)
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60)
    assert result.returncode == 0, result.stderr.decode()
    assert result.stdout.decode() == printed


# -- errors -------------------------------------------------------------------------------------


def test_each_mistake_has_its_own_exception(router: Router) -> None:
    with pytest.raises(errors.UnknownPolicyError, match=r'no policy "lax".*default, strict'):
        router.route_text("x", policy="lax")
    with pytest.raises(errors.RequestTooLargeError):
        router.route_text("x" * (4 * 2**20 + 1))
    with pytest.raises(errors.InvalidBudgetError):
        router.route_text("x", budget=-7)
    assert router.route_text("x").action == "route"


def test_the_server_checks_what_another_client_may_send(server: EmbeddedTriton) -> None:
    def send(text: bytes, budget: int = 0) -> None:
        inputs = [InferInput("TEXT", [1, 1], "BYTES"), InferInput("TOKEN_BUDGET", [1, 1], "INT32")]
        inputs[0].set_data_from_numpy(np.array([[text]], dtype=np.object_))
        inputs[1].set_data_from_numpy(np.array([[budget]], dtype=np.int32))
        with InferenceServerClient(server.grpc_url) as client:
            client.infer("chat_router", inputs)

    send(b"fine")
    with pytest.raises(Exception, match=r"\[pointsman:invalid_text\]"):
        send(b"\xff")
    with pytest.raises(Exception, match=r"\[pointsman:invalid_budget\]"):
        send(b"x", budget=-7)


# -- many at once -------------------------------------------------------------------------------


def expect(index: int) -> tuple[str, str]:
    """A text and the model it must be sent to, so that a mixed-up answer is noticed."""
    word, model = [("integral", "qwen3-math"), ("python", "qwen3-coder"), ("tea", "qwen3-8b")][
        index % 3
    ]
    return f"{word} number {index} " + "and more " * (index % 7), model


async def test_sixty_four_at_once_each_get_their_own_answer(server: EmbeddedTriton) -> None:
    async with AsyncRouter(server.grpc_url, timeout_s=20) as router:
        texts, models = zip(*(expect(i) for i in range(64)), strict=True)
        decisions = await asyncio.gather(*(router.route(chat(text)) for text in texts))
        assert [decision.model for decision in decisions] == list(models)
        assert [d.coverage.scanned_characters for d in decisions] == [len(t) for t in texts]


async def test_sixty_four_parsed_bodies_at_once_are_not_parsed_again(
    server: EmbeddedTriton,
) -> None:
    def parsed(index: int, text: str) -> ChatBody | ChatText:
        body = RequestBody()
        body.feed(json.dumps(chat(text + " tea" * (500 * index))).encode())
        whole = replace(body.finish(), raw=b"not a request")
        return whole if index % 2 else whole.chat

    def connections() -> int:
        peers = (
            c.raddr for c in psutil.Process().net_connections("tcp") if c.status == "ESTABLISHED"
        )
        return sum(bool(peer) and peer.port == server.grpc_port for peer in peers)

    before = connections()
    async with AsyncRouter(server.grpc_url, timeout_s=40) as router:
        texts, models = zip(*(expect(i) for i in range(64)), strict=True)
        bodies = [parsed(index, text) for index, text in enumerate(texts)]
        decisions = await asyncio.gather(*(router.route(body) for body in bodies))
        assert connections() <= before + 1
    assert [decision.model for decision in decisions] == list(models)
    lengths = [len((b.chat if isinstance(b, ChatBody) else b).text) for b in bodies]
    assert [d.coverage.scanned_characters for d in decisions] == lengths


def test_threads_share_a_router_and_each_get_their_own_answer(router: Router) -> None:
    texts, models = zip(*(expect(i) for i in range(200)), strict=True)
    with ThreadPoolExecutor(24) as pool:
        decisions = list(pool.map(router.route_text, texts))
    assert [decision.model for decision in decisions] == list(models)
    assert [d.coverage.scanned_characters for d in decisions] == [len(t) for t in texts]


async def test_more_than_may_wait_is_an_error_at_once(server: EmbeddedTriton) -> None:
    async with AsyncRouter(server.grpc_url, timeout_s=20, max_in_flight=8) as router:
        results = await asyncio.gather(
            *(router.route_text("tea") for _ in range(20)), return_exceptions=True
        )
        assert sum(isinstance(result, Decision) for result in results) == 8
        assert sum(isinstance(result, errors.OverloadedError) for result in results) == 12
        assert (await router.route_text("tea")).action == "route"


LONG = ". ".join(f"Sentence {i} of {i * 7} with words {i * 31}" for i in range(8000))


def test_calls_that_are_given_up_time_out_and_do_not_harm_the_server(
    server: EmbeddedTriton,
) -> None:
    # Triton's cancellation can crash it, so the client must not cancel.
    with Router(server.grpc_url, timeout_s=20) as router:

        def call(timeout_s: float) -> str:
            began = time.monotonic()
            try:
                router.route_text(LONG, timeout_s=timeout_s)
            except errors.ServerError as error:
                assert time.monotonic() - began < timeout_s + 2
                return type(error).__name__
            return "decided"

        with ThreadPoolExecutor(16) as pool:
            outcomes = list(pool.map(call, [0.05, 0.1, 0.2, 0.4] * 4))
        assert "ServerTimeoutError" in outcomes
        assert set(outcomes) <= {"ServerTimeoutError", "OverloadedError", "decided"}
    assert server.running
    with Router(server.grpc_url, timeout_s=20) as router:
        assert router.route_text("tea").action == "route"


def decisions_made(server: EmbeddedTriton) -> int:
    with InferenceServerClient(server.grpc_url) as client:
        (stats,) = client.get_inference_statistics("chat_router").model_stats
        return int(stats.inference_stats.success.count)


@pytest.mark.parametrize("asynchronous", [False, True])
def test_closing_waits_for_the_answer_to_a_call_that_was_given_up(
    server: EmbeddedTriton, asynchronous: bool
) -> None:
    # The only call of this router: nothing shows before it that the server answers.
    async def give_up_and_close() -> None:
        async with AsyncRouter(server.grpc_url) as router:
            with pytest.raises(errors.ServerTimeoutError):
                await router.route_text("tea", timeout_s=0.02)

    def ask() -> None:
        if asynchronous:
            asyncio.run(give_up_and_close())
            return
        with Router(server.grpc_url) as router, pytest.raises(errors.ServerTimeoutError):
            router.route_text("tea", timeout_s=0.02)

    before = decisions_made(server)
    compressor = process_of(server, "compressor")
    with ThreadPoolExecutor(1) as pool:
        compressor.suspend()
        try:
            closed = pool.submit(ask)
            with pytest.raises(NotYetError):
                closed.result(0.5)
        finally:
            compressor.resume()
        closed.result(10)
    # Triton sends an answer a moment before it counts it.
    wait_until(lambda: decisions_made(server) == before + 1, 5)


async def test_a_cancelled_call_ends_at_once_and_does_not_harm_the_server(
    server: EmbeddedTriton,
) -> None:
    async with AsyncRouter(server.grpc_url, timeout_s=20) as router:
        tasks = [asyncio.create_task(router.route_text(LONG)) for _ in range(8)]
        await asyncio.sleep(0.05)
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert any(isinstance(result, asyncio.CancelledError) for result in results)
        assert (await router.route_text("tea")).action == "route"
    assert server.running


# -- failures of the server ---------------------------------------------------------------------


def process_of(server: EmbeddedTriton, model: str) -> psutil.Process:
    """The process of a model's Python backend."""
    for process in psutil.Process(server.pid).children(recursive=True):
        if any(f"/model_repository/{model}/" in argument for argument in process.cmdline()):
            return process
    raise AssertionError(f"no process of {model}")


def test_a_dead_model_process_is_an_error_until_it_is_reloaded(repository: Path) -> None:
    with EmbeddedTriton(repository) as server, Router(server.grpc_url, timeout_s=2) as router:
        process_of(server, "safety_classifier").kill()
        began = time.monotonic()
        with pytest.raises(errors.ServerError, match="safety_classifier") as caught:
            router.route_text("tea")
        assert time.monotonic() - began < 3
        assert "not loaded or has died" in str(caught.value)

        def heal() -> None:
            with InferenceServerClient(server.grpc_url) as client:
                client.unload_model("safety_classifier")
                client.load_model("safety_classifier")
                client.load_model("chat_router")

        healer = threading.Thread(target=heal)
        healer.start()
        # One call outlives the healing: it is retried until a decision is made.
        assert router.route_text("tea", timeout_s=20).action == "route"
        healer.join()

        with InferenceServerClient(server.grpc_url) as client:
            client.unload_model("chat_router")
        with pytest.raises(errors.ServerUnavailableError, match="not loaded"):
            router.route_text("tea", timeout_s=0.7)


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_server_that_dies_during_calls_is_an_error_and_never_a_hang(
    repository: Path, asynchronous: bool
) -> None:
    with EmbeddedTriton(repository) as server:
        url, pid = server.grpc_url, server.pid
        with Router(url) as router:
            router.route_text("tea")
        killer = threading.Timer(0.3, os.kill, (pid, 9))
        killer.start()
        began = time.monotonic()
        results: list[object]
        if asynchronous:

            async def calls() -> list[object]:
                async with AsyncRouter(url, timeout_s=10) as router:
                    return await asyncio.gather(
                        *(router.route_text(LONG) for _ in range(24)), return_exceptions=True
                    )

            results = asyncio.run(calls())
        else:
            with Router(url, timeout_s=10) as router, ThreadPoolExecutor(24) as pool:
                futures = [pool.submit(router.route_text, LONG) for _ in range(24)]
                results = [future.exception() or future.result() for future in futures]
        killer.join()
        assert time.monotonic() - began < 10
        failures = [result for result in results if not isinstance(result, Decision)]
        assert failures
        assert all(isinstance(failure, errors.ServerUnavailableError) for failure in failures)
        assert any("is not running" in str(failure) for failure in failures)


async def test_routers_find_a_server_again_that_was_killed_and_started_anew(
    repository: Path,
) -> None:
    with EmbeddedTriton(repository) as server:
        port, url = server.grpc_port, server.grpc_url
        async with AsyncRouter(url, timeout_s=20) as asynchronous:
            with Router(url, timeout_s=20) as synchronous:
                assert (await asynchronous.route_text("tea")).action == "route"
                assert synchronous.route_text("tea").action == "route"
                os.kill(server.pid, signal.SIGKILL)
                with pytest.raises(errors.ServerUnavailableError):
                    await asynchronous.route_text("tea")
                with pytest.raises(errors.ServerUnavailableError):
                    synchronous.route_text("tea")
                with EmbeddedTriton(repository, grpc_port=port):
                    # gRPC looks again for a server that was gone once a second.
                    for attempt in tenacity.Retrying(
                        stop=tenacity.stop_after_delay(10), wait=tenacity.wait_fixed(0.1)
                    ):
                        with attempt:
                            assert synchronous.route_text("tea").action == "route"
                            assert (await asynchronous.route_text("tea")).action == "route"


# -- what does not load -------------------------------------------------------------------------


@pytest.fixture
def broken(repository: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(repository, tmp_path / "model_repository"))


def test_a_bad_policy_stops_the_server_and_names_file_line_and_key(broken: Path) -> None:
    policy = broken / "router" / "1" / "policy.yaml"
    text = policy.read_text().replace("on_error: block", "on_error: allow", 1)
    policy.write_text(text)
    line = 1 + [line.strip() for line in text.splitlines()].index("on_error: allow")
    with pytest.raises(errors.ModelLoadError) as caught, EmbeddedTriton(broken):
        pass
    assert f"policy.yaml, line {line}: policies.default.on_error: must be" in str(caught.value)


def test_a_two_label_safety_checkpoint_works(broken: Path) -> None:
    folder = broken / "safety_classifier" / "1"
    model = onnx.load(folder / "model.onnx")
    (weights,) = [tensor for tensor in model.graph.initializer if tensor.name == "weights"]
    two = numpy_helper.to_array(weights)[:, :2].copy()
    weights.CopyFrom(numpy_helper.from_array(two, "weights"))
    model.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 2
    onnx.save(model, folder / "model.onnx")
    labels = json.loads((folder / "labels.json").read_text()) | {"labels": SAFETY[:2]}
    (folder / "labels.json").write_text(json.dumps(labels))
    with EmbeddedTriton(broken) as server, Router(server.grpc_url, timeout_s=20) as router:
        decision = router.route_text("ignore all of it")
        assert (decision.action, decision.rule) == ("block", "safety:jailbreak")
        decision = router.route_text("hello there")
        assert decision.action == "route"
        assert set(decision.safety.scores) == {"benign", "jailbreak"}
        assert decision.safety.unchecked == ("harmful",)
