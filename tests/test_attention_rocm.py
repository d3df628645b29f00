"""What can be checked of the build for AMD GPUs without a GPU, ROCm or a compiler for it."""

import ctypes
import os
import runpy
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

KERNELS = Path(__file__).parents[1] / "kernels" / "ck_flash_attention"
ROCM_CMAKE = KERNELS / "rocm" / "rocm.cmake"
CHECK_SPILLS = KERNELS / "rocm" / "check_spills"

# The parts of ck_tile's headers that tell one attention API from another.
KNOWN_API = "template <typename AttentionVariant_> struct FmhaFwdKernel { kHasLogitsSoftCap };"
PIPELINE = "struct BlockFmhaPipelineQRKSVS {};"


def tool(name: str) -> str:
    """A build tool: the system's, or the one in the tests' environment."""
    found = shutil.which(name) or shutil.which(name, path=str(Path(sys.executable).parent))
    assert found, f"no {name}"
    return found


def composable_kernel(folder: Path, *, version: str | None = "1.1.0", api: str = KNOWN_API) -> Path:
    """Makes an include folder that looks like Composable Kernel's to the configuration."""
    fmha = folder / "ck_tile" / "ops" / "fmha"
    (fmha / "kernel").mkdir(parents=True)
    (fmha / "pipeline").mkdir()
    (folder / "ck_tile" / "core.hpp").touch()
    (fmha / "kernel" / "fmha_fwd_kernel.hpp").write_text(api)
    (fmha / "pipeline" / "block_fmha_pipeline_qr_ks_vs.hpp").write_text(PIPELINE)
    if version is not None:
        (folder / "ck").mkdir()
        (folder / "ck" / "version.h").write_text(f"#define CK_VERSION {version}\n")
    return folder


def run_rocm_cmake(work: Path, **definitions: object) -> subprocess.CompletedProcess[str]:
    """Runs rocm.cmake as a script, with a ROCM_PATH that holds nothing."""
    (work / "no-rocm").mkdir(exist_ok=True)
    definitions = {"POINTSMAN_ROCM": "ON", **definitions}
    return subprocess.run(
        [
            tool("cmake"),
            *(f"-D{name}={value}" for name, value in definitions.items()),
            "-P",
            str(ROCM_CMAKE),
        ],
        cwd=work,
        env={**os.environ, "ROCM_PATH": str(work / "no-rocm")},
        capture_output=True,
        text=True,
        check=False,
    )


def words(text: str) -> str:
    """CMake breaks the lines of a message: joins them again."""
    return " ".join(text.split())


@pytest.mark.parametrize("version", ["0.2.0", "1.0.0", "1.3.0", "2.0.0", "11.1.0"])
def test_an_unsupported_version_is_refused(tmp_path: Path, version: str) -> None:
    ck = composable_kernel(tmp_path / "ck", version=version)
    result = run_rocm_cmake(tmp_path, CK_INCLUDE_DIR=ck)
    assert result.returncode != 0
    message = words(result.stderr)
    assert f"Composable Kernel {version} in {ck} is not supported" in message
    assert "Supported: Composable Kernel 1.1.0 and 1.2.0" in message
    assert "-DPOINTSMAN_ROCM=OFF" in message


def test_the_version_is_found_in_a_source_tree_too(tmp_path: Path) -> None:
    ck = composable_kernel(tmp_path / "ck" / "include", version=None)
    (tmp_path / "ck" / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.14)\nset(version 1.9.0)\n"
    )
    result = run_rocm_cmake(tmp_path, CK_INCLUDE_DIR=ck)
    assert result.returncode != 0
    assert "Composable Kernel 1.9.0" in words(result.stderr)


@pytest.mark.parametrize(
    ("api", "reason"),
    [
        (KNOWN_API + " sink_ptr", "a later attention API"),
        (KNOWN_API + " QuantScaleEnum", "a later attention API"),
        ("struct FmhaFwdKernel {};", "another attention API"),
        ("", "no attention kernel"),
    ],
)
def test_an_unknown_attention_api_is_refused(tmp_path: Path, api: str, reason: str) -> None:
    ck = composable_kernel(tmp_path / "ck", api=api)
    result = run_rocm_cmake(tmp_path, CK_INCLUDE_DIR=ck)
    assert result.returncode != 0
    message = words(result.stderr)
    assert f"Composable Kernel 1.1.0 in {ck} has {reason}" in message
    assert "Supported: Composable Kernel 1.1.0 and 1.2.0" in message


@pytest.mark.parametrize(
    ("version", "api"),
    [
        ("1.1.0", KNOWN_API),
        ("1.2.0", KNOWN_API),
        (None, KNOWN_API),
        (
            "1.1.0",
            "template <typename TilePartitioner_, typename FmhaPipeline_> struct FmhaFwdKernel {};",
        ),
    ],
)
def test_a_supported_one_gets_as_far_as_hip(tmp_path: Path, version: str | None, api: str) -> None:
    ck = composable_kernel(tmp_path / "ck", version=version, api=api)
    result = run_rocm_cmake(tmp_path, CK_INCLUDE_DIR=ck)
    assert result.returncode != 0
    assert f"no HIP: no include/hip/hip_runtime.h in {tmp_path / 'no-rocm'}" in words(result.stderr)


def test_on_without_rocm_says_what_is_missing(tmp_path: Path) -> None:
    result = run_rocm_cmake(tmp_path)
    assert result.returncode != 0
    message = words(result.stderr)
    assert f"no ROCm: no include/hip/hip_runtime.h in {tmp_path / 'no-rocm'}" in message
    assert "composablekernel-dev" in message


def test_an_unsupported_architecture_is_refused(tmp_path: Path) -> None:
    result = run_rocm_cmake(tmp_path, GPU_TARGETS="gfx942;gfx1100")
    assert result.returncode != 0
    message = words(result.stderr)
    assert "GPU_TARGETS names gfx1100" in message
    assert "Supported: gfx942, gfx90a, gfx950" in message


def test_a_folder_without_composable_kernel_is_named(tmp_path: Path) -> None:
    result = run_rocm_cmake(tmp_path, CK_INCLUDE_DIR=tmp_path)
    assert result.returncode != 0
    message = words(result.stderr)
    assert f"no Composable Kernel in {tmp_path}" in message
    assert "-DCK_INCLUDE_DIR=" in message


def test_auto_leaves_out_what_on_refuses(tmp_path: Path) -> None:
    ck = composable_kernel(tmp_path / "ck", version="1.0.0")
    result = run_rocm_cmake(tmp_path, POINTSMAN_ROCM="AUTO", CK_INCLUDE_DIR=ck)
    assert result.returncode == 0
    assert "left out" in result.stdout
    assert "Composable Kernel 1.0.0" in words(result.stdout)


@pytest.mark.parametrize(
    ("rocm", "builds"), [("OFF", True), ("ON", False)], ids=["off never looks", "on refuses"]
)
def test_the_option_reaches_the_configuration(tmp_path: Path, rocm: str, builds: bool) -> None:
    header = tmp_path / "onnxruntime" / "core" / "session" / "onnxruntime_c_api.h"
    header.parent.mkdir(parents=True)
    header.touch()
    ck = composable_kernel(tmp_path / "ck", version="1.0.0")
    result = subprocess.run(
        [
            tool("cmake"),
            "-S",
            str(KERNELS),
            "-B",
            str(tmp_path / "build"),
            "-G",
            "Ninja",
            f"-DCMAKE_MAKE_PROGRAM={tool('ninja')}",
            f"-DPOINTSMAN_ROCM={rocm}",
            f"-DCK_INCLUDE_DIR={ck}",
            f"-DORT_INCLUDE_DIR={tmp_path}",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode == 0) == builds, result.stderr
    assert ("Composable Kernel 1.0.0" in words(result.stderr)) == (not builds)


# Stands for the kernels, which need a GPU: each tells which one it is, and the windows it got.
KERNELS_THAT_TELL = """
#include <cstdio>
#include "instances.h"
namespace ck_flash_attention::rocm {
template <ElementType kElementType, int kHeadSize, Variant kVariant>
const char* Enqueue(const AttentionProblem& problem, void*) {
  static char told[99];
  std::snprintf(told, sizeof(told), "%d %d %d, window %ld %ld", static_cast<int>(kElementType),
                kHeadSize, static_cast<int>(kVariant), static_cast<long>(problem.window_left),
                static_cast<long>(problem.window_right));
  return told;
}
#define VARIANTS(element, size)                                                           \\
  template const char* Enqueue<element, size, Variant::kFull>(const AttentionProblem&, void*);   \\
  template const char* Enqueue<element, size, Variant::kWindow>(const AttentionProblem&, void*); \\
  template const char* Enqueue<element, size, Variant::kBias>(const AttentionProblem&, void*);
#define SIZES(element) VARIANTS(element, 32) VARIANTS(element, 64) VARIANTS(element, 128)
SIZES(ElementType::kFloat16)
SIZES(ElementType::kBFloat16)
}
"""

# Stands for HIP's header: clears memory of this machine.
HIP_ON_THIS_MACHINE = """
#include <cstring>
using hipError_t = int;
using hipStream_t = struct Stream*;
constexpr hipError_t hipSuccess = 0;
inline hipError_t hipGetLastError() { return 0; }
inline const char* hipGetErrorString(hipError_t) { return "out of luck"; }
inline hipError_t hipMemset2DAsync(void* rows, size_t pitch, int value, size_t width,
                                   size_t height, hipStream_t stream) {
  if (stream != nullptr) return 719;
  for (size_t row = 0; row < height; ++row) {
    std::memset(static_cast<char*>(rows) + row * pitch, value, width);
  }
  return 0;
}
"""


class Strides(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int64) for name in ("batch", "head", "row")]


class Problem(ctypes.Structure):
    """AttentionProblem of attention.h."""

    _fields_ = [
        *((name, ctypes.c_void_p) for name in ("query", "key", "value", "bias", "output")),
        *((name, ctypes.c_int32) for name in ("element_type", "compute_type")),
        *(
            (name, ctypes.c_int64)
            for name in ("batch", "heads", "query_length", "key_length", "head_size")
        ),
        *((f"{name}_strides", Strides) for name in ("query", "key", "value", "bias", "output")),
        ("scale", ctypes.c_float),
        ("window_left", ctypes.c_int64),
        ("window_right", ctypes.c_int64),
    ]


def problem(**changes: Any) -> Problem:
    """Float16, [2, 3, 100, 64] against 77 keys, contiguous; `changes` are set on top."""
    queries, keys = Strides(3 * 100 * 64, 100 * 64, 64), Strides(3 * 77 * 64, 77 * 64, 64)
    values: dict[str, Any] = {
        "query": 1 << 20, "key": 2 << 20, "value": 3 << 20, "output": 4 << 20,
        "element_type": 1, "batch": 2, "heads": 3, "query_length": 100, "key_length": 77,
        "head_size": 64, "query_strides": queries, "key_strides": keys, "value_strides": keys,
        "output_strides": queries, "scale": 0.125, "window_left": -1, "window_right": -1,
    }  # fmt: skip
    return Problem(**(values | changes))


def compile_library(library: Path, *arguments: object) -> None:
    subprocess.run(
        [
            os.environ.get("CXX", "c++"),
            "-std=c++20",
            "-Wall",
            "-Wextra",
            "-Werror",
            "-shared",
            "-fPIC",
            "-fvisibility=hidden",
            f"-I{KERNELS / 'rocm'}",
            "-o",
            str(library),
            *map(str, arguments),
        ],
        check=True,
    )


def caller(function: Any) -> Callable[..., str | None]:
    function.restype = ctypes.c_char_p

    function.argtypes = [ctypes.POINTER(Problem), ctypes.c_void_p]

    def call(of: Problem, stream: int | None = None) -> str | None:
        message = function(ctypes.byref(of), stream)
        return None if message is None else message.decode()

    return call


@pytest.fixture(scope="module")
def rocm_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """dispatch.cpp and clear.cpp, with KERNELS_THAT_TELL for the kernels."""
    work = tmp_path_factory.mktemp("dispatch")
    (work / "kernels.cpp").write_text(KERNELS_THAT_TELL)
    (work / "hip").mkdir()
    (work / "hip" / "hip_runtime_api.h").write_text(HIP_ON_THIS_MACHINE)
    library = work / "dispatch.so"
    sources = [KERNELS / "rocm" / "dispatch.cpp", KERNELS / "rocm" / "clear.cpp"]
    compile_library(library, *sources, work / "kernels.cpp", f"-I{work}")
    return library


@pytest.fixture(scope="module")
def dispatch(rocm_library: Path) -> Callable[[Problem], str | None]:
    return caller(ctypes.CDLL(str(rocm_library)).ck_flash_attention_run_on_rocm)


def test_the_kernels_are_loaded_from_beside_the_op_when_first_needed(
    rocm_library: Path, tmp_path: Path
) -> None:
    # RunOnRocm as the op's library has it, and a function to call it by.
    (tmp_path / "run.cpp").write_text(
        """
        #include "../attention.h"
        using namespace ck_flash_attention;
        extern "C" [[gnu::visibility("default")]] const char* run(const AttentionProblem* problem,
                                                                  void* stream) {
          return RunOnRocm(*problem, stream);
        }
        """
    )
    op = tmp_path / "op.so"
    compile_library(
        op, KERNELS / "rocm" / "load.cpp", tmp_path / "run.cpp", "-Wl,-rpath,$ORIGIN", "-ldl"
    )
    alone, together = tmp_path / "alone", tmp_path / "together"
    for folder in (alone, together):
        folder.mkdir()
        shutil.copy(op, folder)
    shutil.copy(rocm_library, together / "libck_flash_attention_rocm.so")
    message = caller(ctypes.CDLL(str(alone / "op.so")).run)(problem())
    assert message is not None
    assert "cannot load libck_flash_attention_rocm.so" in message
    assert "No such file" in message
    run = caller(ctypes.CDLL(str(together / "op.so")).run)
    assert run(problem()) == "1 64 0, window -1 -1"
    assert run(problem(head_size=96)) == "ROCm: the head size must be 32, 64 or 128"


@pytest.mark.parametrize("element_type", [1, 2])
@pytest.mark.parametrize("head_size", [32, 64, 128])
def test_every_kernel_is_reached(
    dispatch: Callable[[Problem], str | None], element_type: int, head_size: int
) -> None:
    of = {"element_type": element_type, "head_size": head_size}
    instance = f"{element_type} {head_size}"
    assert dispatch(problem(**of)) == f"{instance} 0, window -1 -1"
    assert dispatch(problem(**of, window_left=8, window_right=9)) == f"{instance} 1, window 8 9"
    assert dispatch(problem(**of, bias=2)) == f"{instance} 2, window -1 -1"
    assert dispatch(problem(**of, bias=2, window_left=0)) == f"{instance} 2, window 0 -1"


@pytest.mark.parametrize(
    ("left", "right", "told"),
    [
        (98, -1, "1, window 98 -1"),  # query 99 does not see key 0
        (99, -1, "0, window -1 -1"),
        (2**62, 2**62, "0, window -1 -1"),
        (-1, 75, "1, window -1 75"),  # query 0 does not see key 76
        (-1, 76, "0, window -1 -1"),
        (0, 2**62, "1, window 0 -1"),
    ],
)
def test_a_window_over_all_keys_is_none(
    dispatch: Callable[[Problem], str | None], left: int, right: int, told: str
) -> None:
    assert dispatch(problem(window_left=left, window_right=right)) == f"1 64 {told}"


@pytest.mark.parametrize("empty", ["batch", "heads", "query_length"])
def test_nothing_is_enqueued_for_an_empty_output(
    dispatch: Callable[[Problem], str | None], empty: str
) -> None:
    assert dispatch(problem(**{empty: 0})) is None


@pytest.mark.parametrize("layout", ["BHSD", "BSHD"])
def test_without_keys_the_output_is_zeros_and_nothing_else_changes(
    dispatch: Callable[[Problem], str | None], layout: str
) -> None:
    batch, heads, rows, size = 2, 3, 5, 32
    # Rows of 40 elements, of which the output has 32.
    shape = (batch, heads, rows, 40) if layout == "BHSD" else (batch, rows, heads, 40)
    memory = np.full(np.prod(shape) + 8, 0x3C00, np.uint16)
    start = -memory.ctypes.data % 16 // 2
    before, output, after = np.split(memory, [start, start + np.prod(shape)])
    output = output.reshape(shape)
    by_head = output if layout == "BHSD" else output.transpose(0, 2, 1, 3)
    strides = Strides(*(stride // 2 for stride in by_head.strides[:3]))
    of = problem(
        query_length=rows, key_length=0, head_size=size, window_left=3, bias=2,
        output=output.ctypes.data, output_strides=strides,
    )  # fmt: skip
    assert dispatch(of) is None
    assert not output[..., :size].any()
    assert all((part == 0x3C00).all() for part in (output[..., size:], before, after))


def test_an_output_that_cannot_be_cleared_is_told(
    dispatch: Callable[[Problem, int], str | None],
) -> None:
    message = dispatch(problem(key_length=0), 1)
    assert message == "ROCm: HIP did not clear the output: out of luck (719)"


BIG = 1 << 27  # rows of 64 that are 16 GiB


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"element_type": 0}, "float16 or bfloat16"),
        ({"head_size": 96}, "32, 64 or 128"),
        ({"query_length": -1}, "negative"),
        ({"key_length": 2**31}, "2^30"),
        ({"scale": 0.0}, "scale"),
        ({"scale": -0.125}, "scale"),
        ({"scale": float("nan")}, "scale"),
        ({"scale": float("inf")}, "scale"),
        ({"window_left": -2}, "window"),
        ({"window_right": -(2**63)}, "window"),
        ({"query": (1 << 20) + 2}, "16 bytes"),
        ({"output": (1 << 20) + 8}, "16 bytes"),
        ({"value_strides": Strides(64, 64, 68)}, "multiples of 8"),
        ({"key_strides": Strides(2**31, 64, 64)}, "2^31 - 1"),
        ({"key_strides": Strides(64, -64, 64)}, "2^31 - 1"),
        ({"query_length": BIG}, "2 GiB"),
        ({"key_length": BIG}, "2 GiB"),
        ({"output_strides": Strides(64, 64, 2**24)}, "2 GiB"),
        ({"bias": 2, "bias_strides": Strides(2**31, 0, 0)}, "bias"),
        ({"bias": 2, "query_length": 32768, "key_length": 32768,
          "bias_strides": Strides(0, 0, 32768)}, "bias of one head"),
    ],
)  # fmt: skip
def test_what_the_kernels_cannot_do_is_refused(
    dispatch: Callable[[Problem], str | None], changes: dict[str, Any], reason: str
) -> None:
    message = dispatch(problem(**changes))
    assert message is not None
    assert message.startswith("ROCm: ")
    assert reason in message


def test_a_bias_for_all_queries_may_have_any_number_of_them(
    dispatch: Callable[[Problem], str | None],
) -> None:
    of = problem(bias=2, query_length=32768, key_length=32768, bias_strides=Strides(32768, 0, 0))
    assert dispatch(of) == "1 64 2, window -1 -1"


def packed(value: Any) -> bytes:
    """MessagePack as the compiler writes it: short forms where they fit."""
    if isinstance(value, dict):
        body = b"".join(packed(key) + packed(item) for key, item in value.items())
        return (bytes([0x80 | len(value)]) if len(value) < 16
                else struct.pack(">BH", 0xDE, len(value))) + body  # fmt: skip
    if isinstance(value, list):
        return bytes([0x90 | len(value)]) + b"".join(map(packed, value))
    if isinstance(value, str):
        data = value.encode()
        return (bytes([0xA0 | len(data)]) if len(data) < 32
                else struct.pack(">BB", 0xD9, len(data))) + data  # fmt: skip
    return bytes([value]) if value < 128 else struct.pack(">BH", 0xCD, value)


def library(kernels: list[dict[str, Any]], target: str = "gfx942") -> bytes:
    """A library with one bundled code object: an ELF file with nothing but its metadata."""
    metadata = packed({"amdhsa.kernels": kernels, "amdhsa.version": [1, 2]})
    note = struct.pack("<III", 7, len(metadata), 32) + b"AMDGPU\0\0" + metadata
    note += bytes(-len(note) % 4)
    elf = bytearray(64)
    elf[:4] = b"\x7fELF"
    struct.pack_into("<Q", elf, 40, 64 + len(note))
    struct.pack_into("<HH", elf, 58, 64, 1)
    elf += note + struct.pack("<IIQQQQIIQQ", 0, 7, 0, 0, 64, len(note), 0, 0, 4, 0)
    name = f"hipv4-amdgcn-amd-amdhsa--{target}".encode()
    start = 24 + 8 + 24 + len(name)
    header = b"__CLANG_OFFLOAD_BUNDLE__" + struct.pack("<Q", 1)
    return b"\x7fELF" + header + struct.pack("<QQQ", start, len(elf), len(name)) + name + elf


def kernel(**changes: object) -> dict[str, Any]:
    symbol = "_Z3RunINS1_7ProblemILNS_11ElementTypeE2ELi128ELNS0_7VariantE1EEEEvv"
    counts = {".vgpr_count": 174, ".agpr_count": 0, ".vgpr_spill_count": 0,
              ".sgpr_spill_count": 0, ".private_segment_fixed_size": 0,
              ".group_segment_fixed_size": 9216, ".max_flat_workgroup_size": 256,
              ".name": symbol}  # fmt: skip
    return counts | changes


@pytest.mark.parametrize(
    ("changes", "status"),
    [({}, 0), ({".vgpr_spill_count": 42}, 1), ({".sgpr_spill_count": 300}, 1)],
)
def test_check_spills_fails_when_a_kernel_spills(
    tmp_path: Path, changes: dict[str, object], status: int
) -> None:
    path = tmp_path / "lib.so"
    path.write_bytes(library([kernel(), kernel(**changes)]))
    result = subprocess.run(
        [sys.executable, str(CHECK_SPILLS), str(path)], capture_output=True, text=True, check=False
    )
    assert result.returncode == status, result.stderr
    head, *rows = result.stdout.splitlines()
    assert head.split()[0] == "target"
    assert len(rows) == 2
    assert all(row.split()[:4] == ["gfx942", "bfloat16", "128", "window"] for row in rows)


def test_check_spills_of_a_library_without_kernels_fails(tmp_path: Path) -> None:
    path = tmp_path / "lib.so"
    path.write_bytes(b"\x7fELF nothing")
    result = subprocess.run(
        [sys.executable, str(CHECK_SPILLS), str(path)], capture_output=True, text=True, check=False
    )
    assert result.returncode == 2
    assert "no code objects" in result.stderr


@pytest.mark.parametrize(
    ("registers", "lds", "waves"),
    [
        (128, 0, 4),  # 512 / 128
        (129, 0, 3),  # allotted in eights: 136
        (174, 9216, 2),
        (24, 0, 8),
        (24, 40 * 1024, 1),  # one block of four waves in 64 KiB, one wave on each SIMD
    ],
)
def test_occupancy(registers: int, lds: int, waves: int) -> None:
    occupancy = runpy.run_path(str(CHECK_SPILLS))["occupancy"]
    of = kernel(**{".vgpr_count": registers, ".group_segment_fixed_size": lds})
    assert occupancy(of, "gfx942") == waves
