"""The signal of personal data: what the shipped weights put first in documents of many forms."""

from __future__ import annotations

from pathlib import Path

import pytest

from pointsman_backends.compressor import Compressor, Tokenizer
from pointsman_backends.compressor.risk import PERSONAL, RiskModel

TOKENIZER = Path(__file__).parents[1] / "model_repository" / "encoder" / "1" / "tokenizer.json"

compressor = Compressor(Tokenizer(TOKENIZER, seed=1), 512)
shipped = RiskModel.load(PERSONAL)

DOCUMENTS = {
    "prose": """
The committee met again to discuss the new bicycle lanes along the river. Two members were absent.
The budget for resurfacing was approved after a short debate, and the work is to begin when the
weather allows. Residents had asked for more benches and for a drinking fountain near the old mill.
The architect showed three drafts and explained what each of them would cost.

Bread needs flour, water, salt and time. The dough rests in a bowl under a cloth until it has
doubled. A hot oven and a little steam give the crust its colour. Most bakers weigh everything.
""",
    "code": """
def merge(left, right):
    result = []
    while left and right:
        result.append(left.pop(0) if left[0] <= right[0] else right.pop(0))
    return result + left + right

class Queue:
    \"\"\"A queue of jobs, the oldest first.\"\"\"

    def __init__(self, limit=64):
        self._jobs = deque(maxlen=limit)

    def push(self, job):
        self._jobs.append(job)
""",
    "logs": """
2026-03-04 10:12:33 INFO [scheduler] job 1932 finished in 412 ms
2026-03-04 10:12:35 WARN [storage] volume 7 is 81 % full
2026-03-04 10:13:02 INFO [gateway] connection from 10.0.4.17 closed

2026-03-04 10:14:40 INFO [scheduler] job 1933 started on worker 4
2026-03-04 10:14:41 DEBUG [cache] evicted 118 entries
""",
    "legal": """
The tenant shall return the premises in the condition in which they were received, fair wear and
tear excepted. Notice must be given in writing three months before the end of the term. The deposit
is repaid within thirty days, less any sum that is owed.

This agreement is governed by the law of the place where the premises are situated. No waiver of a
breach is a waiver of any other breach.
""",
    "Chinese": """
会议再次讨论了沿河的新自行车道。居民希望增加长椅和饮水机。天气允许的话，工程即将开始。

面包需要面粉、水、盐和时间。面团要盖上布放到变成两倍大。
""",
}
TOLD = {
    "introduction": "My name is Ingrid Solberg and I live in Trondheim.",
    "address": "Please send it to Marta Kowalczyk, 48 Elm Street, Springfield, IL 62704.",
    "lower case": "can you ask tobias lindqvist from accounting to call me back",
    "record": '{"first_name": "Anjali", "last_name": "Krishnan", "city": "Pune", "age": 43}',
    "form": "Patient: Rosalind Achterberg, date of birth: 12 March 1961",
    "row": "| Fernando Gutierrez | Plumber | 17 Rue des Lilas | Lyon |",
    "log": "user Siobhan O'Leary updated the shipping address of Mrs. Whitcombe",
    "aside": "The cake was lovely (thanks to Oluwaseun Adeyemi).",
}


def read(text: str) -> tuple[list[float], list[tuple[int, int]]]:
    """Signal and place of each sentence, as the compressor has them."""
    explained = compressor.explain(text.encode())
    return explained.signals["personal"].tolist(), list(map(tuple, explained.spans.tolist()))


@pytest.mark.parametrize("told", TOLD.values(), ids=TOLD.keys())
@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS.keys())
def test_a_sentence_about_somebody_comes_first_in_a_document(told: str, document: str) -> None:
    before, after = document.strip().split("\n\n")[:2]
    signal, spans = read(f"{before}\n\n{told}\n\n{after}")
    begin = len(before) + 2
    planted = [begin <= start < begin + len(told) for start, _ in spans]
    best = max(s for s, is_planted in zip(signal, planted, strict=True) if is_planted)
    others = [s for s, is_planted in zip(signal, planted, strict=True) if not is_planted]
    assert best > max(others)


@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS.keys())
def test_documents_about_nobody_are_not_marked(document: str) -> None:
    assert max(read(document)[0]) < shipped.threshold


def test_other_words_in_the_same_sentence_do_not_hide_a_name() -> None:
    garden = "the roses and the tulips in the garden by the river bloom in june "
    name = "as my neighbour tobias lindqvist told me "
    (plain,), _ = read(garden * 6)
    (told,), _ = read(garden * 3 + name + garden * 3)
    assert told > plain


def test_the_shipped_file_is_small_and_says_where_it_comes_from() -> None:
    assert PERSONAL.stat().st_size < 300_000
    for word in ("sources", "licence", "seed", "scikit-learn", "figures"):
        assert word in shipped.provenance
