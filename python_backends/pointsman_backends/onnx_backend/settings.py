"""Reads a Triton model configuration into typed settings.

The keys and their meanings are those of Triton's own ONNX Runtime backend (written in C++), so
that one config.pbtxt serves both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pointsman_backends.onnx_backend.errors import ConfigError

# Triton's data types and the names ONNX Runtime gives them. TYPE_BF16 is missing because the
# Python backend cannot hand such a tensor on.
ORT_TYPES: Mapping[str, str] = {
    "TYPE_BOOL": "tensor(bool)",
    "TYPE_UINT8": "tensor(uint8)",
    "TYPE_UINT16": "tensor(uint16)",
    "TYPE_UINT32": "tensor(uint32)",
    "TYPE_UINT64": "tensor(uint64)",
    "TYPE_INT8": "tensor(int8)",
    "TYPE_INT16": "tensor(int16)",
    "TYPE_INT32": "tensor(int32)",
    "TYPE_INT64": "tensor(int64)",
    "TYPE_FP16": "tensor(float16)",
    "TYPE_FP32": "tensor(float)",
    "TYPE_FP64": "tensor(double)",
    "TYPE_STRING": "tensor(string)",
}

# `optimization { graph { level } }` and ONNX Runtime's GraphOptimizationLevel.
GRAPH_LEVELS: Mapping[int, str] = {
    -1: "ORT_ENABLE_BASIC",
    0: "ORT_ENABLE_ALL",
    1: "ORT_ENABLE_EXTENDED",
    2: "ORT_DISABLE_ALL",
}

_TRUE = frozenset(("1", "true", "True", "TRUE"))
_FALSE = frozenset(("0", "false", "False", "FALSE"))
_KNOWN_PARAMETERS = frozenset(
    (
        "intra_op_thread_count",
        "inter_op_thread_count",
        "execution_mode",
        "enable_mem_arena",
        "enable_mem_pattern",
        "memory.enable_memory_arena_shrinkage",
        # One process holds one instance here, so there is nothing to share; and these are of the
        # CUDA execution provider.
        "share_session_between_instances",
        "cudnn_conv_algo_search",
        "gpu_mem_limit",
        "arena_extend_strategy",
        "do_copy_in_default_stream",
    )
)
_UNSUPPORTED = ("sequence_batching", "batch_input", "batch_output")


@dataclass(frozen=True)
class TensorSpec:
    """One input or output as config.pbtxt declares it.

    Attributes:
        name: Tensor name, the same as in the ONNX model.
        type: Triton's data type, for example ``"TYPE_FP32"``.
        dims: Dimensions without the batch dimension; -1 is any size.
    """

    name: str
    type: str
    dims: tuple[int, ...]


@dataclass(frozen=True)
class Settings:
    """All that one model instance needs to know.

    Attributes:
        model: Path of the ONNX file.
        op_libraries: What to hand to dlopen, in order.
        inputs: Declared inputs.
        outputs: Declared outputs.
        max_batch_size: 0 where tensors have no batch dimension.
        gpu: Device to run on, or None for the CPU.
        intra_op_threads: Threads within an operator; 0 leaves it to ONNX Runtime.
        inter_op_threads: Threads across operators, in parallel mode; 0 as above.
        parallel: Whether independent operators run in parallel.
        graph_level: Name of an ``onnxruntime.GraphOptimizationLevel``.
        memory_arena: Whether the CPU allocator keeps an arena; None leaves the default.
        memory_pattern: Whether memory patterns are planned; None leaves the default.
        session_entries: Keys and values for ``SessionOptions.add_session_config_entry``.
        run_entries: Keys and values for ``RunOptions.add_run_config_entry``.
        unknown_parameters: Parameters that neither backend reads: likely misspelt.
    """

    model: Path
    op_libraries: tuple[str, ...] = ()
    inputs: tuple[TensorSpec, ...] = ()
    outputs: tuple[TensorSpec, ...] = ()
    max_batch_size: int = 0
    gpu: int | None = None
    intra_op_threads: int = 0
    inter_op_threads: int = 0
    parallel: bool = False
    graph_level: str = "ORT_ENABLE_ALL"
    memory_arena: bool | None = None
    memory_pattern: bool | None = None
    session_entries: Mapping[str, str] = field(default_factory=dict)
    run_entries: Mapping[str, str] = field(default_factory=dict)
    unknown_parameters: tuple[str, ...] = ()


def read_settings(
    config: Mapping[str, Any], version_folder: Path, *, kind: str = "CPU", device: int = 0
) -> Settings:
    """Read the configuration of one model instance.

    Args:
        config: The model configuration as Triton gives it to backends: the JSON form of
            config.pbtxt.
        version_folder: Folder that holds the model file, ``<repository>/<model>/<version>``.
        kind: Kind of this instance, ``"CPU"`` or ``"GPU"`` (with or without ``KIND_``).
        device: GPU of this instance; not looked at for a CPU instance.

    Raises:
        ConfigError: The configuration asks for something unknown or impossible.
    """
    for key in _UNSUPPORTED:
        if config.get(key):
            raise ConfigError(f"config.pbtxt: {key} is not supported; remove it")
    optimization = config.get("optimization") or {}
    if optimization.get("execution_accelerators"):
        raise ConfigError(
            "config.pbtxt: optimization.execution_accelerators is not supported; remove it "
            "(a KIND_GPU instance uses the ROCm execution provider)"
        )
    parameters = _parameters(config)
    batch = int(config.get("max_batch_size", 0))
    if batch < 0:
        raise ConfigError(f"config.pbtxt: max_batch_size is {batch}, but must be 0 or more")
    level = int((optimization.get("graph") or {}).get("level", 0))
    if level not in GRAPH_LEVELS:
        raise ConfigError(
            f"config.pbtxt: optimization.graph.level is {level}; use -1 (basic), 0 (all), "
            "1 (extended) or 2 (none)"
        )
    libraries = (config.get("model_operations") or {}).get("op_library_filename") or []
    shrinkage = "memory.enable_memory_arena_shrinkage"
    return Settings(
        model=_model_path(config.get("default_model_filename") or "model.onnx", version_folder),
        op_libraries=tuple(_library_path(name, version_folder) for name in libraries),
        inputs=_tensors(config, "input"),
        outputs=_tensors(config, "output"),
        max_batch_size=batch,
        gpu=device if kind.removeprefix("KIND_") == "GPU" else None,
        intra_op_threads=_count(parameters, "intra_op_thread_count"),
        inter_op_threads=_count(parameters, "inter_op_thread_count"),
        parallel=bool(_flag(parameters, "execution_mode")),
        graph_level=GRAPH_LEVELS[level],
        memory_arena=_flag(parameters, "enable_mem_arena"),
        memory_pattern=_flag(parameters, "enable_mem_pattern"),
        session_entries={
            key: value for key, value in parameters.items() if key.startswith("session.")
        },
        run_entries={key: value for key, value in parameters.items() if key == shrinkage},
        unknown_parameters=tuple(
            sorted(
                key
                for key in parameters
                if key not in _KNOWN_PARAMETERS and not key.startswith("session.")
            )
        ),
    )


def _parameters(config: Mapping[str, Any]) -> dict[str, str]:
    return {
        key: str(value.get("string_value", ""))
        for key, value in (config.get("parameters") or {}).items()
    }


def _count(parameters: Mapping[str, str], key: str) -> int:
    value = parameters.get(key, "0")
    if not value.isascii() or not value.isdigit():
        raise ConfigError(
            f'config.pbtxt: parameter {key} is "{value}", but must be a whole number, 0 or more'
        )
    return int(value)


def _flag(parameters: Mapping[str, str], key: str) -> bool | None:
    value = parameters.get(key)
    if value is None:
        return None
    if value in _TRUE:
        return True
    if value in _FALSE:
        return False
    raise ConfigError(f'config.pbtxt: parameter {key} is "{value}", but must be 0 or 1')


def _tensors(config: Mapping[str, Any], key: str) -> tuple[TensorSpec, ...]:
    specs = []
    for tensor in config.get(key) or []:
        name, kind = tensor.get("name", ""), tensor.get("data_type", "TYPE_INVALID")
        if kind not in ORT_TYPES:
            raise ConfigError(
                f'config.pbtxt: {key} "{name}" has data_type {kind}, which this backend cannot '
                f"pass on; use one of {', '.join(ORT_TYPES)}"
            )
        # Triton reshapes before it calls a backend, and after.
        dims = (tensor.get("reshape") or {}).get("shape", tensor.get("dims", []))
        specs.append(TensorSpec(name, kind, tuple(int(dim) for dim in dims)))
    return tuple(specs)


def _model_path(filename: str, version_folder: Path) -> Path:
    path = version_folder / filename
    return path / "model.onnx" if path.is_dir() else path


def _library_path(filename: str, version_folder: Path) -> str:
    """What to open for an op library's name.

    A file in the version or the model folder comes first. Otherwise the name goes to dlopen as
    it is, which finds a bare name through LD_LIBRARY_PATH.
    """
    for folder in _library_folders(version_folder):
        if (folder / filename).is_file():
            return str(folder / filename)
    return filename


def _library_folders(version_folder: Path) -> Sequence[Path]:
    return (version_folder, version_folder.parent)
