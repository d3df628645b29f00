"""The look at a sibling model: which version counts, and what a bad labels.json gets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pointsman_backends.repository import RepositoryError, read_classifier, version_folder


def write(repository: Path, content: object, version: str = "1") -> Path:
    folder = repository / "safety_classifier" / version
    folder.mkdir(parents=True)
    text = content if isinstance(content, str) else json.dumps(content)
    (folder / "labels.json").write_text(text, encoding="utf-8")
    return folder


def test_reads_labels_in_order(tmp_path: Path) -> None:
    folder = write(tmp_path, {"labels": ["benign", "jailbreak"], "max_tokens": 512})
    info = read_classifier(tmp_path, "safety_classifier")
    assert info.labels == ("benign", "jailbreak")
    assert info.max_tokens == 512
    assert info.folder == folder
    assert info.name == "safety_classifier"
    assert info.encoder is None


def test_reads_whose_hidden_states_a_head_reads(tmp_path: Path) -> None:
    write(tmp_path, {"labels": ["a"], "max_tokens": 512, "encoder": "trunk"})
    assert read_classifier(tmp_path, "safety_classifier").encoder == "trunk"


def test_highest_number_wins_not_the_highest_string(tmp_path: Path) -> None:
    for version in ["9", "10", "2", "011", "0", "latest", "٣"]:
        (tmp_path / version).mkdir()
    (tmp_path / "99").write_text("a file is not a version")
    assert version_folder(tmp_path) == tmp_path / "10"


def test_a_model_without_versions_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RepositoryError, match="has no version folder"):
        version_folder(tmp_path)


def test_a_missing_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RepositoryError, match="no model folder"):
        read_classifier(tmp_path, "safety_classifier")


def test_a_missing_labels_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "safety_classifier" / "1").mkdir(parents=True)
    with pytest.raises(RepositoryError, match=r"cannot read .*labels\.json: No such file"):
        read_classifier(tmp_path, "safety_classifier")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is not JSON"),
        ("[]", "must hold an object"),
        ({"max_tokens": 512}, '"labels" must be'),
        ({"labels": [], "max_tokens": 512}, '"labels" must be'),
        ({"labels": ["a", "a"], "max_tokens": 512}, '"labels" must be'),
        ({"labels": ["a", ""], "max_tokens": 512}, '"labels" must be'),
        ({"labels": ["a", 1], "max_tokens": 512}, '"labels" must be'),
        ({"labels": "benign", "max_tokens": 512}, '"labels" must be'),
        ({"labels": ["a"]}, '"max_tokens" must be'),
        ({"labels": ["a"], "max_tokens": 2}, '"max_tokens" must be'),
        ({"labels": ["a"], "max_tokens": 512.0}, '"max_tokens" must be'),
        ({"labels": ["a"], "max_tokens": True}, '"max_tokens" must be'),
        ({"labels": ["a"], "max_tokens": 512, "encoder": ""}, '"encoder" must be'),
        ({"labels": ["a"], "max_tokens": 512, "encoder": 1}, '"encoder" must be'),
    ],
)
def test_a_bad_labels_file_is_refused(tmp_path: Path, content: object, message: str) -> None:
    write(tmp_path, content)
    with pytest.raises(RepositoryError, match=message):
        read_classifier(tmp_path, "safety_classifier")


def test_labels_that_are_not_utf8_are_refused(tmp_path: Path) -> None:
    folder = write(tmp_path, "{}")
    (folder / "labels.json").write_bytes(b'{"labels": ["\xff"]}')
    with pytest.raises(RepositoryError, match="is not JSON"):
        read_classifier(tmp_path, "safety_classifier")
