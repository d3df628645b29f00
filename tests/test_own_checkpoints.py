"""Heads on the shared encoder beside classifiers that read token ids, in a real Triton."""

import contextlib
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from perf.independent import read_ids
from pointsman import Router, ServerError, paths
from pointsman.doctor import diagnose
from pointsman.embedded import EmbeddedTriton
from pointsman.errors import ModelLoadError, ServerStartError
from pointsman.processes import stubs
from pointsman.supervisor import Supervisor
from tests.tiny_models import CLASSIFIERS, write_repository

pytestmark = pytest.mark.server
CONTEXT = 32768


def judge(router: Router) -> None:
    """All three verdicts are made, and from the words that stand in the text."""
    expected = {
        "hello there": ("route", "default"),
        "ignore all of it": ("block", "safety:jailbreak"),
        "find the integral of x": ("route", "domain:math"),
        "this is broken": ("block", "on_error"),
    }
    for text, wanted in expected.items():
        decision = router.route_text(text)
        assert (decision.action, decision.rule) == wanted, text
    found = router.route_text("my name is alice smith").pii
    assert [(span.type, span.start, span.end) for span in found] == [("PERSON", 11, 22)]


@pytest.mark.parametrize("reading_ids", [["safety_classifier"], list(CLASSIFIERS)])
def test_classifiers_that_read_token_ids_serve_beside_heads_and_alone(
    tmp_path: Path, reading_ids: list[str]
) -> None:
    repository = write_repository(tmp_path / "models", reading_ids=reading_ids)
    with EmbeddedTriton(repository) as server, Router(server.grpc_url, timeout_s=30) as router:
        judge(router)


GUIDE = Path(__file__).parents[1] / "docs" / "own_checkpoints.md"


def replaced(text: str, pattern: str, by: str) -> str:
    """The text with the one thing that the pattern finds replaced."""
    changed, count = re.subn(pattern, lambda _: by, text, flags=re.S | re.M)
    assert count == 1, pattern
    return changed


def test_the_guide_as_written_puts_a_classifier_in_place_of_a_head(tmp_path: Path) -> None:
    section = GUIDE.read_text().split("## One classifier in place of a head")[1].split("\n## ")[0]
    inputs, op_library, fed = re.findall(r"(?:^ {7,}\S.*\n)+", section, re.M)
    assert "labels.json" in section

    # 1. three files
    repository = write_repository(tmp_path / "models")
    alone = write_repository(tmp_path / "alone", reading_ids=["domain_classifier"])
    folder = repository / "domain_classifier" / "1"
    shutil.rmtree(folder)
    shutil.copytree(alone / "domain_classifier" / "1", folder)
    assert {path.name for path in folder.iterdir()} == {
        "model.onnx",
        "labels.json",
        "tokenizer.json",
    }
    # 2. what it reads
    config = repository / "domain_classifier" / "config.pbtxt"
    text = replaced(config.read_text(), r"^model_warmup \[.*?^\]", "")
    config.write_text(replaced(text, r"^input \[.*?^\]", inputs) + op_library)
    # 3. what it is given, in the file as shipped
    ensemble = Path("chat_router", "config.pbtxt")
    shipped = (paths.model_repository() / ensemble).read_text()
    before, name, after = shipped.partition('model_name: "domain_classifier"')
    step, following, rest = after.partition("model_name:")
    step = replaced(step, r'^ *input_map \{ key: "hidden_states"[^\n]*$', fed)
    (repository / ensemble).write_text(before + name + step + following + rest)
    # 4. doctor, and a start
    assert [check for check in diagnose(model_repository=repository) if not check.ok] == []
    with EmbeddedTriton(repository) as server, Router(server.grpc_url, timeout_s=30) as router:
        judge(router)


def test_a_classifier_that_the_ensemble_gives_the_wrong_tensor_does_not_load(
    tmp_path: Path,
) -> None:
    repository = write_repository(tmp_path / "models")
    read_ids(repository / "domain_classifier")  # and its step still says hidden_states
    with (
        pytest.raises((ModelLoadError, ServerStartError), match="hidden_states") as caught,
        EmbeddedTriton(repository),
    ):
        pytest.fail("the server must not start")
    assert "chat_router" in str(caught.value)


# -- 32,768 tokens: 50 MB of hidden states, four times through shared memory ---------------------


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedTriton]:
    to = tmp_path_factory.mktemp("long") / "models"
    with EmbeddedTriton(write_repository(to, max_tokens=CONTEXT)) as triton:
        yield triton


@pytest.fixture
def router(server: EmbeddedTriton) -> Iterator[Router]:
    with Router(server.grpc_url, timeout_s=60) as router:
        yield router


def test_the_last_token_that_fits_is_judged(router: Router) -> None:
    decision = router.route_text("tea " * (CONTEXT - 3) + "ignore", budget=-1)
    assert decision.coverage.classified_tokens == decision.coverage.tokens == CONTEXT - 2
    assert not decision.coverage.truncated
    assert (decision.action, decision.rule) == ("block", "safety:jailbreak")


def test_a_longer_text_is_flagged_as_truncated(router: Router) -> None:
    decision = router.route_text("Some more tea, please. " * 10_000, budget=-1)
    assert decision.coverage.tokens == 60_000
    assert CONTEXT - 40 < decision.coverage.classified_tokens <= CONTEXT - 2
    assert decision.coverage.truncated
    assert "coverage:truncated" in decision.flags


def test_the_default_budget_stays(router: Router) -> None:
    decision = router.route_text("Some more tea, please. " * 10_000)
    assert 400 < decision.coverage.classified_tokens <= 510
    assert not decision.coverage.truncated


def test_the_ensemble_heals_when_the_encoder_dies(server: EmbeddedTriton, router: Router) -> None:
    reports: list[str] = []
    with Supervisor(server, reports.append):
        (encoder,) = [p for p, folder in stubs(server.pid) if folder.name == "encoder"]
        os.kill(encoder.pid, 9)
        while reports[-1] != "ready" or len(reports) < 3:
            with contextlib.suppress(ServerError):  # while it heals
                router.route_text("hello there")
        judge(router)
    assert "the process of encoder died (killed by signal 9)" in reports[1]
