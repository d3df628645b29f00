"""The signal of personal data: what the shipped weights put first in documents of many forms."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pointsman_backends.compressor import Tokenizer
from pointsman_backends.compressor import risk as risk_module
from pointsman_backends.compressor.prepare import sentence_starts
from pointsman_backends.compressor.risk import RiskModel

TOKENIZER = Path(__file__).parents[1] / "model_repository" / "encoder" / "1" / "tokenizer.json"
WEIGHTS = Path(risk_module.__file__).with_name("personal.npz")

tokenizer = Tokenizer(TOKENIZER, seed=1)
shipped = RiskModel.load(WEIGHTS)

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


def read(text: str) -> tuple[list[float], list[str]]:
    """Signal and text of each sentence."""
    words = tokenizer.read(text).words
    normal = words.normal.text
    strings = [normal[s:e] for s, e in zip(words.starts, words.ends, strict=True)]
    first = sentence_starts(words, np.zeros(1, np.int64))
    ends = [*first[1:], len(strings)]
    told = [" ".join(strings[s:e]) for s, e in zip(first, ends, strict=True)]
    keys, weights = shipped.words(strings)
    return shipped.sentences(shipped.contributions(keys, weights), first).tolist(), told


@pytest.mark.parametrize("told", TOLD.values(), ids=TOLD.keys())
@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS.keys())
def test_a_sentence_about_somebody_comes_first_in_a_document(told: str, document: str) -> None:
    before, after = document.strip().split("\n\n")[:2]
    signal, sentences = read(f"{before}\n\n{told}\n\n{after}")
    planted = set(read(told)[1])
    best = max(s for s, sentence in zip(signal, sentences, strict=True) if sentence in planted)
    others = [s for s, sentence in zip(signal, sentences, strict=True) if sentence not in planted]
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
    assert WEIGHTS.stat().st_size < 300_000
    for word in ("sources", "licence", "seed", "scikit-learn", "figures"):
        assert word in shipped.provenance
