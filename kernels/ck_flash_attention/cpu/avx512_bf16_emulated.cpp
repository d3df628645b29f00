// The bf16 path for machines without its instruction: slower than fp32, there to be tested.
#include "avx512_bf16_isa.h"

namespace ck_flash_attention {
namespace {

struct EmulatedDot {
  static __m512 Pairs(__m512 sum, __m512i a, __m512i b) {
    const __m512 with_high = _mm512_fmadd_ps(High(a), High(b), sum);
    return _mm512_fmadd_ps(Low(a), Low(b), with_high);
  }

 private:
  static __m512 Low(__m512i pairs) { return _mm512_castsi512_ps(_mm512_slli_epi32(pairs, 16)); }
  static __m512 High(__m512i pairs) {
    return _mm512_castsi512_ps(_mm512_and_si512(pairs, _mm512_set1_epi32(-0x10000)));
  }
};
using Isa = Avx512Bf16<EmulatedDot>;

}  // namespace

const CpuKernel kAvx512Bf16EmulatedKernel{&TiledAttention<Isa>::ScratchBytes,
                                          &TiledAttention<Isa>::Run};

}  // namespace ck_flash_attention
