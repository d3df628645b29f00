"""ONNX Runtime sessions as the server makes them."""

from __future__ import annotations

from pathlib import Path

import onnxruntime as ort

ROOT = Path(__file__).resolve().parents[2]
OP_LIBRARY = ROOT / "build" / "kernels" / "libck_flash_attention.so"


def open_session(model: Path, threads: int = 1) -> ort.InferenceSession:
    """A CPU session with the attention op and without spinning threads.

    Raises:
        FileNotFoundError: the op library was not built.
    """
    if not OP_LIBRARY.is_file():
        raise FileNotFoundError(f"no op library at {OP_LIBRARY}: run scripts/setup dev")
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.register_custom_ops_library(str(OP_LIBRARY))
    return ort.InferenceSession(
        str(model), sess_options=options, providers=["CPUExecutionProvider"]
    )
