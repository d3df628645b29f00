"""What can be checked of the build for AMD GPUs without a GPU, ROCm or a compiler for it."""

import os
import runpy
import shutil
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

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
