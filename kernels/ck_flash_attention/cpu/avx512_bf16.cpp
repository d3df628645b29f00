#include "avx512_bf16_isa.h"

namespace ck_flash_attention {
namespace {

struct NativeDot {
  static __m512 Pairs(__m512 sum, __m512i a, __m512i b) {
    return _mm512_dpbf16_ps(sum, reinterpret_cast<__m512bh>(a), reinterpret_cast<__m512bh>(b));
  }
};
using Isa = Avx512Bf16<NativeDot>;

}  // namespace

const CpuKernel kAvx512Bf16Kernel{&TiledAttention<Isa>::ScratchBytes, &TiledAttention<Isa>::Run};

}  // namespace ck_flash_attention
