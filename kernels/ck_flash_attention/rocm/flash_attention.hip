// One instance of Composable Kernel's tiled flash-attention forward kernel (ck_tile, MIT licence).
// Compiled for AMD GPUs, not tested on one.
//
// rocm.cmake compiles this file once for each instance, with INSTANCE_ELEMENT (kFloat16,
// kBFloat16), INSTANCE_HEAD_SIZE (32, 64, 128), INSTANCE_VARIANT (kFull, kWindow, kBias) and the
// two macros of ck_tile below defined.
//
// Used of ck_tile: FmhaFwdKernel in batch mode, BlockFmhaPipelineQRKSVS, GenericAttentionMask and
// Default2DEpilogue. What these take by position moves from release to release; what they take by
// name does not. So the problem, the traits and the kernel's arguments are given by name here:
// releases differ in little then, and one that needs more is a compile error, not a wrong result.

#include <hip/hip_runtime.h>

#include <cstdint>
#include <cstdio>
#include <type_traits>

// The kernel's header does not include all that it uses: the pipeline's goes first.
// clang-format off
#include "ck_tile/core.hpp"
#include "ck_tile/ops/fmha/pipeline/block_fmha_pipeline_qr_ks_vs.hpp"
#include "ck_tile/ops/fmha/pipeline/tile_fmha_shape.hpp"
#include "ck_tile/ops/fmha/block/block_masking.hpp"
#include "ck_tile/ops/fmha/block/block_position_encoding.hpp"
#include "ck_tile/ops/fmha/kernel/fmha_fwd_kernel.hpp"
#if INSTANCE_CK_PARTITIONER
#include "ck_tile/ops/fmha/kernel/fmha_fwd_tile_partitioner.hpp"
#endif
#include "ck_tile/ops/epilogue/default_2d_epilogue.hpp"
// clang-format on

#include "instances.h"

namespace ck_flash_attention::rocm {
namespace {

using ck_tile::BlockAttentionBiasEnum;
using ck_tile::index_t;
using ck_tile::sequence;

// exp2 with log2(e) folded into the scale saves a multiplication for each score. Not with a bias:
// the lowest bfloat16 times log2(e) is -inf, and a row of it must give the mean, not zeros.
static_assert(CK_TILE_FMHA_FWD_FAST_EXP2 == (Variant::INSTANCE_VARIANT != Variant::kBias));

// ck_tile's default truncates, which makes every weight and output too small.
static_assert(CK_TILE_FLOAT_TO_BFLOAT16_DEFAULT == CK_TILE_FLOAT_TO_BFLOAT16_STANDARD_ASM);

// The sizes of a tile, and how many waves of a kernel a SIMD must be able to hold, which bounds
// the registers of each. Chosen so that nothing spills on gfx942 (check_spills). The bias is read
// element by element, each with a bounds check that takes a pair of scalar registers: with 64 keys
// at once they spill, with 32 they do not. A wave has 32 queries.
template <int kHeadSize, int kKeys>
struct Tile {
  // A step of P V has 32 keys: of a head size of 32, that is too little for four waves to load.
  static constexpr index_t kMostWaves = kHeadSize == 32 ? 2 : 4;
  // The ck_tile of October 2024 loads no fewer than 8 elements of K a lane: 32 keys are enough for
  // half the waves.
  static constexpr index_t kWaves =
      INSTANCE_CK_PARTITIONER && kKeys < 64 ? kMostWaves / 2 : kMostWaves;
  static constexpr index_t kHeadStep = kHeadSize == 32 ? 16 : 32;  // at least two steps

  // Queries, keys, head size a step of Q K^T, head size of V, keys a step of P V, head size.
  using Block = sequence<32 * kWaves, kKeys, kHeadStep, kHeadSize, 32, kHeadSize>;
  using Waves = sequence<kWaves, 1, 1>;
  static constexpr index_t kWavesPerSimd = kHeadSize == 32 ? 3 : 2;  // 64 without bias spills at 3
};

template <ElementType kElementType>
using Element =
    std::conditional_t<kElementType == ElementType::kFloat16, ck_tile::fp16_t, ck_tile::bf16_t>;

// ck_tile's BlockFmhaPipelineProblem and TileFmhaTraits in one.
template <ElementType kElementType, int kHeadSize, Variant kVariant>
struct Problem {
  using Traits = Problem;
  using QDataType = Element<kElementType>;
  using KDataType = QDataType;
  using VDataType = QDataType;
  using BiasDataType = QDataType;
  using PDataType = QDataType;
  using ODataType = QDataType;
  using SaccDataType = float;
  using SMPLComputeDataType = float;
  using OaccDataType = float;
  using LSEDataType = float;
  using RandValOutputDataType = uint8_t;

  using ProblemTile = Tile<kHeadSize, kVariant == Variant::kBias ? 32 : 64>;
  using BlockFmhaShape =
      ck_tile::TileFmhaShape<typename ProblemTile::Block, typename ProblemTile::Waves,
                             sequence<32, 32, 16>, typename ProblemTile::Waves,
                             sequence<32, 32, 16>, true>;
  // Masking also makes the kernel divide by a row's sum only where it is not 0: with a bias, a row
  // may see only -inf.
  using FmhaMask = ck_tile::GenericAttentionMask<kVariant != Variant::kFull, true>;
#if !INSTANCE_CK_PARTITIONER
  using AttentionVariant = ck_tile::StandardAttention;
#endif

  static constexpr index_t kBlockSize = BlockFmhaShape::NumWarps * 64;
  static constexpr index_t kNumGemm0Warps = BlockFmhaShape::NumWarps;
  static constexpr index_t kNumGemm1Warps = BlockFmhaShape::NumWarps;
  static constexpr index_t kBlockPerCu = ProblemTile::kWavesPerSimd;
  static constexpr bool kPadSeqLenQ = true;
  static constexpr bool kPadSeqLenK = true;
  static constexpr bool kPadHeadDimQ = false;
  static constexpr bool kPadHeadDimV = false;
  static constexpr auto BiasEnum = kVariant == Variant::kBias
                                       ? BlockAttentionBiasEnum::ELEMENTWISE_BIAS
                                       : BlockAttentionBiasEnum::NO_BIAS;
  static constexpr bool kIsGroupMode = false;
  static constexpr bool kHasLogitsSoftCap = false;
  static constexpr bool kHasBiasGrad = false;
  static constexpr bool kStoreLSE = false;
  static constexpr bool kHasDropout = false;
  static constexpr bool kDoFp8StaticQuant = false;
  static constexpr bool kSkipMinSeqlenQ = false;
  static constexpr bool kUseTrLoad = false;
};

template <typename KernelProblem>
using Pipeline = ck_tile::BlockFmhaPipelineQRKSVS<KernelProblem>;

template <typename KernelProblem>
using Epilogue = ck_tile::Default2DEpilogue<ck_tile::Default2DEpilogueProblem<
    typename KernelProblem::OaccDataType, typename KernelProblem::ODataType, true, false>>;

#if INSTANCE_CK_PARTITIONER
template <typename KernelProblem>
using Kernel =
    ck_tile::FmhaFwdKernel<ck_tile::FmhaFwdTilePartitioner<typename KernelProblem::BlockFmhaShape>,
                           Pipeline<KernelProblem>, Epilogue<KernelProblem>>;
#else
template <typename KernelProblem>
using Kernel = ck_tile::FmhaFwdKernel<Pipeline<KernelProblem>, Epilogue<KernelProblem>>;
#endif

template <typename DeviceKernel>
__global__ __launch_bounds__(DeviceKernel::kBlockSize, DeviceKernel::kBlockPerCu) void Run(
    typename DeviceKernel::Kargs arguments) {
#ifdef __HIP_DEVICE_COMPILE__
  DeviceKernel{}(arguments);
#else
  static_cast<void>(arguments);
#endif
}

}  // namespace

template <ElementType kElementType, int kHeadSize, Variant kVariant>
const char* Enqueue(const AttentionProblem& problem, void* stream) {
  using DeviceKernel = Kernel<Problem<kElementType, kHeadSize, kVariant>>;

  typename DeviceKernel::Kargs arguments{};
  arguments.q_ptr = problem.query;
  arguments.k_ptr = problem.key;
  arguments.v_ptr = problem.value;
  arguments.o_ptr = problem.output;
  arguments.seqlen_q = static_cast<index_t>(problem.query_length);
  arguments.seqlen_k = static_cast<index_t>(problem.key_length);
  arguments.hdim_q = kHeadSize;
  arguments.hdim_v = kHeadSize;
  arguments.num_head_q = static_cast<index_t>(problem.heads);
  arguments.nhead_ratio_qk = 1;
  arguments.scale_s =
      CK_TILE_FMHA_FWD_FAST_EXP2 ? problem.scale * ck_tile::log2e_v<float> : problem.scale;
  arguments.stride_q = static_cast<index_t>(problem.query_strides.row);
  arguments.stride_k = static_cast<index_t>(problem.key_strides.row);
  arguments.stride_v = static_cast<index_t>(problem.value_strides.row);
  arguments.stride_o = static_cast<index_t>(problem.output_strides.row);
  arguments.nhead_stride_q = static_cast<index_t>(problem.query_strides.head);
  arguments.nhead_stride_k = static_cast<index_t>(problem.key_strides.head);
  arguments.nhead_stride_v = static_cast<index_t>(problem.value_strides.head);
  arguments.nhead_stride_o = static_cast<index_t>(problem.output_strides.head);
  arguments.batch_stride_q = static_cast<index_t>(problem.query_strides.batch);
  arguments.batch_stride_k = static_cast<index_t>(problem.key_strides.batch);
  arguments.batch_stride_v = static_cast<index_t>(problem.value_strides.batch);
  arguments.batch_stride_o = static_cast<index_t>(problem.output_strides.batch);
  if constexpr (kVariant == Variant::kBias) {
    arguments.bias_ptr = problem.bias;
    arguments.stride_bias = static_cast<index_t>(problem.bias_strides.row);
    arguments.nhead_stride_bias = static_cast<index_t>(problem.bias_strides.head);
    arguments.batch_stride_bias = static_cast<index_t>(problem.bias_strides.batch);
  }
  if constexpr (kVariant != Variant::kFull) {
    arguments.window_size_left = static_cast<index_t>(problem.window_left);
    arguments.window_size_right = static_cast<index_t>(problem.window_right);
    // Query i is at key i, whatever the two lengths.
    arguments.mask_type = ck_tile::GenericAttentionMaskEnum::MASK_FROM_TOP_LEFT;
  }

  const dim3 grid = DeviceKernel::GridSize(static_cast<index_t>(problem.batch),
                                           static_cast<index_t>(problem.heads),
                                           static_cast<index_t>(problem.query_length), kHeadSize);
  if (grid.y > UINT16_MAX || grid.z > UINT16_MAX) {
    return "ROCm: batch, heads or query length is too large: a HIP grid has at most 65535 blocks "
           "along its second and third dimension";
  }
  void* parameters[] = {&arguments};
  const hipError_t status = hipLaunchKernel(reinterpret_cast<const void*>(&Run<DeviceKernel>), grid,
                                            dim3(DeviceKernel::kBlockSize), parameters, 0,
                                            static_cast<hipStream_t>(stream));
  if (status == hipSuccess) {
    return nullptr;
  }
  // The error has been told: it must not turn up at the next check in this thread.
  static_cast<void>(hipGetLastError());
  thread_local char message[160];
  std::snprintf(message, sizeof(message), "ROCm: HIP did not launch the kernel: %s (%d)",
                hipGetErrorString(status), static_cast<int>(status));
  return message;
}

template const char* Enqueue<ElementType::INSTANCE_ELEMENT, INSTANCE_HEAD_SIZE,
                             Variant::INSTANCE_VARIANT>(const AttentionProblem& problem,
                                                        void* stream);

}  // namespace ck_flash_attention::rocm
