"""Turns the attention of an exported encoder into the ``com.ck::CKFlashAttention`` op.

The one function here is ``rewrite``. It needs the extra ``pointsman[rewrite]``.
"""

from pointsman.errors import PackageNotFoundError

try:
    from pointsman.rewrite.model import Summary, rewrite
except ModuleNotFoundError as error:
    if error.name not in ("onnx", "onnxruntime"):
        raise
    raise PackageNotFoundError(error.name, "rewrite") from None

__all__ = ["Summary", "rewrite"]
