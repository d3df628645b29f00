#include "avx512_isa.h"
#include "fp32_operands.h"

namespace ck_flash_attention {
namespace {

using Attention = TiledAttention<Fp32Operands<Avx512>>;

}  // namespace

const CpuKernel kAvx512Kernel{&Attention::ScratchBytes, &Attention::Run};

}  // namespace ck_flash_attention
