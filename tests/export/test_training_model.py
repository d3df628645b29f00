"""The encoder and its heads: what may and what may not influence what."""

import pytest
import torch

from training.model.encoder import (
    WIDE_LAYERS,
    WIDE_WINDOW,
    WIDTH,
    WINDOW,
    Encoder,
    Layer,
    _rotations,
)
from training.model.heads import (
    EDGE,
    LEVEL,
    POOL,
    STRIDE,
    DomainHead,
    SafetyHead,
    TokenHead,
    window_labels,
)
from training.model.tagging import IGNORED

HEADS = [SafetyHead(3), DomainHead(14), TokenHead(35)]


def ids(rows: int, tokens: int) -> torch.Tensor:
    return torch.randint(1000, 20000, (rows, tokens), generator=torch.Generator().manual_seed(3))


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    torch.manual_seed(0)
    return Encoder().eval()


@torch.inference_mode()
def test_padding_has_no_influence_on_the_states(encoder: Encoder) -> None:
    tokens = ids(2, 200)
    mask = torch.ones_like(tokens)
    mask[1, 90:] = 0
    together = encoder(tokens, mask)[1, :90]
    alone = encoder(tokens[1:, :90], mask[1:, :90])[0]
    assert torch.allclose(together, alone, atol=1e-5)


@torch.inference_mode()
@pytest.mark.parametrize("layers", [1, 2], ids=["wide", "wide and local"])
def test_layers_see_their_windows_and_no_further(layers: int) -> None:
    assert 0 in WIDE_LAYERS
    assert 1 not in WIDE_LAYERS
    torch.manual_seed(0)
    encoder = Encoder(layers).eval()
    reach = WIDE_WINDOW + WINDOW * (layers - 1)
    tokens, changed = ids(1, 2 * reach + 400), reach + 200
    other = tokens.clone()
    other[0, changed] = 5
    mask = torch.ones_like(tokens)
    moved = (encoder(tokens, mask) - encoder(other, mask)).abs().amax(-1)[0] > 0
    assert moved.nonzero().flatten().tolist() == list(range(changed - reach, changed + reach + 1))


@torch.inference_mode()
def test_states_depend_on_distances_not_on_places() -> None:
    torch.manual_seed(0)
    layer = Layer(0).eval()
    states = torch.randn(1, 40, WIDTH)
    bias = torch.zeros(1, 1, 40, 40)
    cosines, sines = _rotations(1040, 160_000.0)
    first = layer(states, (cosines[:40], sines[:40]), bias)
    later = layer(states, (cosines[1000:], sines[1000:]), bias)
    assert torch.allclose(first, later, atol=1e-4)


@pytest.mark.parametrize("head", HEADS, ids=lambda head: type(head).__name__)
@pytest.mark.parametrize("length", [1, 2, 7, 8, 16, 33, 100])
@torch.inference_mode()
def test_padding_has_no_influence_on_the_logits(head: torch.nn.Module, length: int) -> None:
    head.eval()
    states = torch.randn(2, 130, WIDTH)
    mask = torch.ones(2, 130, dtype=torch.int64)
    mask[1, length:] = 0
    together = head(states, mask)[1:]
    alone = head(states[1:, :length], mask[1:, :length])
    if together.ndim == 3:
        together = together[:, :length]
    assert torch.allclose(together, alone, atol=1e-5)


@torch.inference_mode()
def test_text_behind_an_attack_cannot_lower_its_logits() -> None:
    head = SafetyHead(3).eval()
    states = torch.randn(1, 64, WIDTH)
    longer = torch.cat((states, torch.randn(1, 4000, WIDTH)), dim=1)
    ones = torch.ones(1, 4064, dtype=torch.int64)
    inside = head.windows(states, ones[:, :64])[0][:, : (64 - POOL // 2) // STRIDE + 1]
    assert (head(longer, ones)[:, 1:] >= inside.amax(dim=1) - 1e-5).all()


@torch.inference_mode()
def test_the_question_at_an_end_weighs_the_same_however_long_the_document_is() -> None:
    torch.manual_seed(0)
    head = DomainHead(2).eval()
    about, ending = torch.randn(WIDTH), torch.randn(WIDTH)
    # Logits tell the shares of what the document is about and of what its ending is.
    head.out.weight.copy_(torch.linalg.pinv(torch.stack((about, ending), dim=1)))
    head.out.bias.zero_()

    def share(tokens: int) -> float:
        states = about.repeat(1, tokens, 1)
        states[0, -EDGE:] = ending
        return float(head(states, torch.ones(1, tokens, dtype=torch.int64))[0, 1])

    shares = [share(tokens) for tokens in (2 * LEVEL, 8 * LEVEL, 100 * LEVEL)]
    assert max(shares) - min(shares) < 0.05
    assert 0.3 < max(shares) < share(LEVEL // 2)


def test_labels_of_windows() -> None:
    assert window_labels(0, None, 3) == [0, 0, 0]
    assert window_labels(2, None, 3) == [IGNORED] * 3
    labels = window_labels(1, (100, 120), 40)
    for window, label in enumerate(labels):
        centre = window * STRIDE
        seen = range(max(0, centre - POOL // 2), centre + POOL // 2)
        if 100 <= centre < 120:
            assert label == 1
        else:
            assert label == (IGNORED if set(seen) & set(range(100, 120)) else 0)
    assert 1 in labels
