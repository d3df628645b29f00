"""What this machine has to run Pointsman with, what is missing, and how to mend it."""

import ctypes
import hashlib
import importlib.metadata
import importlib.util
import os
import platform
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson
from google.protobuf import text_format
from tritonclient.grpc import InferenceServerClient, model_config_pb2
from tritonclient.utils import InferenceServerException

from pointsman import embedded, paths
from pointsman.errors import PointsmanError, SetupError
from pointsman.router import Router

_INSTALL_SERVER = "pip install 'pointsman[server]'"
_PROBE = "What is the derivative of x squared?"


@dataclass(frozen=True)
class Check:
    """One thing looked at: whether it is in order, what was found, and the mend if not."""

    name: str
    ok: bool
    detail: str
    mend: str = ""


def diagnose(*, model_repository: Path | None = None, url: str | None = None) -> list[Check]:
    """Look at this machine and, when `url` is given, at the server that answers there.

    Args:
        model_repository: Folder to look at; None is the shipped one.
        url: Triton's gRPC endpoint, HOST:PORT.

    Returns:
        One entry for each thing looked at, in the order in which they build on each other.
    """
    checks = [_python(), _triton(), _libpython(), _cpu(), _onnxruntime()]
    checks += [_attention_op(), _compressor_library()]
    try:
        repository = paths.model_repository(model_repository)
    except SetupError as error:
        checks.append(Check("model repository", False, str(error)))
    else:
        checks.append(Check("model repository", True, str(repository)))
        checks.extend(_models(repository))
        checks.append(_tokenizer(repository))
        checks.append(_policy(repository))
    if url is not None:
        checks.extend(_server(url))
    return checks


def _python() -> Check:
    return Check("Python", True, f"{platform.python_version()} at {sys.executable}")


def _libpython() -> Check:
    try:
        return Check("libpython", True, str(embedded.find_libpython()))
    except SetupError as error:
        return Check("libpython", False, str(error))


def _triton() -> Check:
    try:
        binary = embedded.find_tritonserver()
    except SetupError as error:
        return Check("Triton", False, str(error))
    version = importlib.metadata.version("nvidia-pytriton")
    return Check("Triton", True, f"{binary} (nvidia-pytriton {version})")


def _cpu() -> Check:
    flags: set[str] = set()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("flags"):
                flags = set(line.split(":", 1)[1].split())
                break
    features = [name for name in ("avx2", "avx512f", "avx512_vnni", "avx512_bf16") if name in flags]
    return Check("CPU", True, f"{platform.machine()}: {' '.join(features) or 'no AVX2'}")


def _onnxruntime() -> Check:
    if importlib.util.find_spec("onnxruntime") is None:
        return Check("ONNX Runtime", False, "not installed", _INSTALL_SERVER)
    import onnxruntime

    providers = ", ".join(onnxruntime.get_available_providers())
    return Check("ONNX Runtime", True, f"{onnxruntime.__version__} with {providers}")


def _attention_op() -> Check:
    library = paths.kernels() / paths.ATTENTION_LIBRARY
    if not library.is_file():
        # What a model needs of it is checked with the model.
        return Check("attention op", True, f"not built: there is no {library}")
    error = ctypes.c_char_p()
    try:
        instruction_set = ctypes.CDLL(str(library)).CKFlashAttentionInstructionSet
        instruction_set.restype = ctypes.c_char_p
        name = instruction_set(ctypes.byref(error))
    except (OSError, AttributeError) as problem:
        return Check("attention op", False, str(problem), "build it anew: scripts/build_kernels")
    if name is None:
        return Check("attention op", False, (error.value or b"").decode())
    return Check("attention op", True, f"{library}, instruction set {name.decode()}")


def _compressor_library() -> Check:
    name = "compressor library"
    library = paths.kernels() / paths.COMPRESSOR_LIBRARY
    if not library.is_file():
        return Check(name, True, f"not built, NumPy does its work: there is no {library}")
    try:
        from pointsman_backends.compressor.native import LibraryError, open_library
    except ImportError as error:
        return Check(name, False, str(error), _INSTALL_SERVER)
    try:
        open_library(str(library))
    except (OSError, LibraryError) as problem:
        return Check(name, False, str(problem), "build it anew: scripts/build_kernels")
    return Check(name, True, str(library))


def _models(repository: Path) -> Iterator[Check]:
    for config_path in sorted(repository.glob("*/config.pbtxt")):
        folder = config_path.parent
        try:
            config = text_format.Parse(config_path.read_text(), model_config_pb2.ModelConfig())
        except (OSError, UnicodeDecodeError, text_format.ParseError) as error:
            yield Check(folder.name, False, f"{config_path}: {error}", "mend config.pbtxt")
            continue
        if config.backend == "onnxruntime":
            yield _onnx_model(folder, config.default_model_filename or "model.onnx")
            yield from _op_libraries(folder, list(config.model_operations.op_library_filename))
        elif config.backend == "python":
            model = folder / "1" / "model.py"
            yield Check(
                folder.name,
                model.is_file(),
                str(model),
                "" if model.is_file() else f"put {model} back",
            )


def _onnx_model(folder: Path, filename: str) -> Check:
    version = folder / "1"
    try:
        weights = (version / filename).read_bytes()
        detail = f"sha256 {hashlib.sha256(weights).hexdigest()[:16]}, {len(weights) / 1e6:.1f} MB"
        if (version / "labels.json").exists():  # the encoder has none
            labels = orjson.loads((version / "labels.json").read_bytes())
            detail += f", {len(labels['labels'])} labels, up to {labels['max_tokens']:,} tokens"
            if "encoder" in labels:
                detail += f", reads {labels['encoder']}"
    except (OSError, ValueError, KeyError, TypeError) as error:
        mend = f"put {filename} and labels.json into {version} (git checkout?)"
        return Check(folder.name, False, f"{type(error).__name__}: {error}", mend)
    return Check(folder.name, True, detail)


def _tokenizer(repository: Path) -> Check:
    """Whether all who judge a text understand the same token ids."""
    name = "tokenizer"
    try:
        from pointsman_backends.repository import read_classifier, read_tokenizer
    except ImportError as error:
        return Check(name, False, f"not checked: {error}", _INSTALL_SERVER)
    try:
        text = (repository / "compressor" / "config.pbtxt").read_text()
        config = text_format.Parse(text, model_config_pb2.ModelConfig())
        names = config.parameters["classifiers"].string_value.split(",")
        classifiers = [read_classifier(repository, classifier.strip()) for classifier in names]
        path = read_tokenizer(repository, classifiers)
    except (OSError, ValueError, text_format.ParseError) as error:
        return Check(name, False, str(error), "see docs/own_checkpoints.md")
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    longest = min(classifier.max_tokens for classifier in classifiers)
    return Check(name, True, f"{path}, sha256 {sha256[:8]}, up to {longest:,} tokens")


def _op_libraries(folder: Path, filenames: list[str]) -> Iterator[Check]:
    name = f"{folder.name} op library"
    if not filenames:
        yield Check(name, True, "none named: ONNX Runtime's own kernels run")
    for filename in filenames:
        try:
            found = paths.op_library(filename, folder, os.environ.get("LD_LIBRARY_PATH", ""))
        except SetupError as error:
            yield Check(name, False, str(error))
        else:
            yield Check(
                name,
                found is not None,
                str(found or f"{filename} not found"),
                "" if found else f"put {filename} into {folder}/1",
            )


def _policy(repository: Path) -> Check:
    try:
        from pointsman_backends.router.policy import load_policy_file
    except ImportError as error:
        return Check("policy", False, f"not checked: {error}", _INSTALL_SERVER)
    path = repository / "router" / "1" / "policy.yaml"
    try:
        policies = load_policy_file(path)
    except (OSError, ValueError) as error:
        return Check("policy", False, str(error), f"mend {path} (docs/policy.md)")
    names = ", ".join(sorted(policies.policies))
    return Check("policy", True, f"{path.name}: {names}; default {policies.default_policy}")


def _server(url: str) -> Iterator[Check]:
    mend = "start it with `pointsman serve`, or look at its log"
    client = InferenceServerClient(url)
    try:
        index = client.get_model_repository_index(client_timeout=5)
        for model in index.models:
            ready = model.state == "READY"
            yield Check(
                f"server: {model.name}",
                ready,
                model.state.lower() or model.reason,
                "" if ready else mend,
            )
    except InferenceServerException as error:
        yield Check("server", False, f"{url}: {error.message()}", mend)
        return
    finally:
        client.close()
    # Triton calls a model ready when its process has died: only an answer proves it works.
    try:
        with Router(url) as router:
            decision = router.route_text(_PROBE)
    except PointsmanError as error:
        yield Check("server: decision", False, str(error), mend)
    else:
        yield Check(
            "server: decision",
            not decision.errors,
            f"{decision.action} to {decision.model} by {decision.rule}",
            "; ".join(decision.errors),
        )
