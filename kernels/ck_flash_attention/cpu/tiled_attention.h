// Tiled attention with an online softmax, over one instruction set.
//
// The algorithm is FlashAttention's (Dao et al., arXiv 2205.14135): scores exist for one strip of
// queries and one block of keys at a time, and the running maximum and sum of every row rescale
// what was summed before. The products are the register-blocked outer products of BLIS (Van Zee and
// van de Geijn, ACM TOMS 2015): a strip of kMaxRows queries against a panel of two vectors of keys.
//
// Included by one file per instruction set, which defines `Isa` and then instantiates
// TiledAttention<Isa>. Everything here has internal linkage, since each of those files is compiled
// with its own flags: a function shared by the linker could carry instructions a machine lacks.
// For the same reason nothing here calls the standard library's templates.
//
// `Isa` gives: Vector (floats), kLanes, kMaxRows, kDepth (products in one 32-bit packed operand: 1
// for fp32, see fp32_operands.h, and 2 for bf16), and the functions used below.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <utility>

#include "cpu_kernel.h"
#include "half.h"

namespace ck_flash_attention {
namespace {

constexpr float kShifter = 0x1.8p+23f;
constexpr float kLog2E = 0x1.715476p+0f;
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

constexpr int64_t Min(int64_t a, int64_t b) { return a < b ? a : b; }
constexpr int64_t Max(int64_t a, int64_t b) { return a > b ? a : b; }
constexpr int64_t CeilDivide(int64_t a, int64_t b) { return (a + b - 1) / b; }
constexpr size_t RoundUpTo64(size_t bytes) { return (bytes + 63) & ~size_t{63}; }

template <class Isa>
class TiledAttention {
  using Vector = typename Isa::Vector;

  static constexpr int kLanes = Isa::kLanes;
  static constexpr int kMaxRows = Isa::kMaxRows;
  static constexpr int kDepth = Isa::kDepth;
  static constexpr int kPanelKeys = 2 * kLanes;  // keys a product holds in registers
  static constexpr int kBlockPanels = 256 / kPanelKeys;
  static constexpr int kBlockKeys = kBlockPanels * kPanelKeys;
  static constexpr int kMaxHeadSize = 128;
  static_assert(kMaxRows <= kLanes, "one vector holds a value per row");
  static constexpr int kMaxStrips = 8;  // strips that read a block of keys while it is in cache
  // Not a power of two, so that the rows of a strip do not share cache sets.
  static constexpr int kScoreStride = kBlockKeys + 16;

  // A head size over 64 halves the strips: a tile's queries and outputs then stay in L2.
  static int64_t StripsPerTile(int64_t head_size) { return head_size > 64 ? 4 : kMaxStrips; }

  // A constant, so that the rows of a strip have fixed offsets in the inner loop.
  static constexpr int kQueryStride = kMaxHeadSize / kDepth;

  // Packed operands are bit patterns of 32 bits; float is only their carrier.
  struct alignas(64) Strip {
    float query[kMaxRows * kQueryStride];
    float output[kMaxRows * kMaxHeadSize];
    float maximum[kLanes];
    float sums[kMaxRows * kLanes];
    int64_t first_row;
    int64_t first_panel;
    int64_t end_panel;
    float query_norm;  // the largest, times the scale
    float negligible;  // panels whose scores all lie below cannot be told from absent ones
    bool bounded;      // `exponent` is known beforehand, and maximum is not used
    float exponent;    // no score exceeds exponent / log2(e)
  };

  // Keys, values and bias of one head, packed by Pack, and what panels can be skipped by.
  struct Head {
    int64_t batch;
    int64_t index;
    float* keys;           // [panel][head_size / kDepth][kPanelKeys]
    const float* values;   // rows of kDepth keys, value_stride apart: packed, or where they were
    float* packed_values;  // or null
    int64_t value_stride;
    float* key_norms;     // [panel], the largest
    float* value_checks;  // [panel], 0 where all values are finite
    float* bias;          // [panel][kPanelKeys], or null: none, or one row per query
    float* bias_max;      // [panel]
    float* bias_min;      // [panel]
  };

  const AttentionProblem& problem_;
  const int64_t panels_;
  const int64_t strips_;
  const int64_t tiles_;
  const bool packs_values_;
  const bool packs_bias_;
  const int64_t heads_in_flight_;
  char* scratch_ = nullptr;
  int64_t first_head_ = 0;  // of those in flight

  static bool PacksValues(const AttentionProblem& p) {
    return kDepth > 1 || p.element_type != ElementType::kFloat32 ||
           p.value_strides.row != p.head_size;
  }
  static bool PacksBias(const AttentionProblem& p) {
    return p.bias != nullptr && p.bias_strides.row == 0;
  }

  bool BiasPerRow() const { return problem_.bias != nullptr && !packs_bias_; }

  size_t KeyBytes() const {
    return RoundUpTo64(static_cast<size_t>(panels_ * kPanelKeys * (problem_.head_size / kDepth)) *
                       sizeof(float));
  }
  size_t ValueBytes() const {
    if (!packs_values_) return 0;
    return RoundUpTo64(
        static_cast<size_t>(CeilDivide(problem_.key_length, kDepth) * problem_.head_size) *
        sizeof(float));
  }
  size_t BiasBytes() const {
    if (!packs_bias_) return 0;
    return RoundUpTo64(static_cast<size_t>(panels_ * (kPanelKeys + 2)) * sizeof(float));
  }
  size_t CheckBytes() const {
    return RoundUpTo64(static_cast<size_t>(2 * panels_) * sizeof(float));
  }
  size_t HeadBytes() const { return KeyBytes() + CheckBytes() + ValueBytes() + BiasBytes(); }

  // Heads are packed and then read in waves: what was packed is then still in a core's L2, and
  // memory does not grow with the number of heads.
  int64_t HeadsInFlight() const {
    constexpr int64_t kWaveBytes = 512 << 10;
    const int64_t heads = problem_.batch * problem_.heads;
    const int64_t fit = Max(1, kWaveBytes / Max(1, static_cast<int64_t>(HeadBytes())));
    if (fit >= heads) return heads;
    return CeilDivide(heads, CeilDivide(heads, fit));  // waves of equal size
  }

  // The `slot`-th of the heads in flight.
  Head HeadInFlight(int64_t slot) const {
    const AttentionProblem& p = problem_;
    char* memory = scratch_ + static_cast<size_t>(slot) * HeadBytes();
    const auto take = [&memory](size_t bytes) {
      char* const taken = memory;
      memory += bytes;
      return reinterpret_cast<float*>(taken);
    };
    Head head{};
    head.batch = (first_head_ + slot) / p.heads;
    head.index = (first_head_ + slot) % p.heads;
    head.keys = take(KeyBytes());
    head.key_norms = take(CheckBytes());
    head.value_checks = head.key_norms + panels_;
    if (packs_values_) {
      head.values = head.packed_values = take(ValueBytes());
      head.value_stride = p.head_size;
    } else {
      head.values = static_cast<const float*>(p.value) + RowOffset(p.value_strides, head, 0);
      head.value_stride = p.value_strides.row;
    }
    if (packs_bias_) {
      head.bias = take(BiasBytes());
      head.bias_max = head.bias + panels_ * kPanelKeys;
      head.bias_min = head.bias_max + panels_;
    }
    return head;
  }

  static int64_t RowOffset(const Strides& strides, const Head& head, int64_t row) {
    return head.batch * strides.batch + head.index * strides.head + row * strides.row;
  }

  // Elements of a row as fp32.
  void ReadRow(const void* tensor, int64_t offset, int64_t count, float* row) const {
    int64_t i = 0;
    if (problem_.element_type == ElementType::kFloat32) {
      const float* source = static_cast<const float*>(tensor) + offset;
      for (; i + kLanes <= count; i += kLanes) Isa::Store(row + i, Isa::Load(source + i));
      for (; i < count; ++i) row[i] = source[i];
    } else {
      const uint16_t* source = static_cast<const uint16_t*>(tensor) + offset;
      for (; i + kLanes <= count; i += kLanes) Isa::Store(row + i, Isa::LoadHalf(source + i));
      for (; i < count; ++i) row[i] = HalfToFloat(source[i]);
    }
  }

  // A row of a head as fp32: where it is, or in `buffer`.
  const float* Row(const void* tensor, const Strides& strides, const Head& head, int64_t row,
                   float* buffer) const {
    const int64_t offset = RowOffset(strides, head, row);
    if (problem_.element_type == ElementType::kFloat32) {
      return static_cast<const float*>(tensor) + offset;
    }
    ReadRow(tensor, offset, problem_.head_size, buffer);
    return buffer;
  }

  // The larger one; NaN where either is.
  static float LargerOrNan(float a, float b) { return a >= b || a != a ? a : b; }

  // The larger of `square` and |scale row|^2; NaN stays.
  float LargerSquare(float square, const float* row, float scale) const {
    Vector sum = Isa::Zero();
    for (int64_t i = 0; i < problem_.head_size; i += kLanes) {
      const Vector value = Isa::Multiply(Isa::Load(row + i), Isa::Broadcast(scale));
      sum = Isa::MultiplyAdd(value, value, sum);
    }
    return LargerOrNan(square, Isa::SumOfLanes(sum));
  }

  // PowerOfTwo adds to the bits of its argument, so a NaN must have none in the lower ones. Those
  // of bf16 and fp16 have none.
  static void CleanNan(float* values, int64_t count) {
    for (int64_t i = 0; i < count; ++i) {
      if (values[i] != values[i]) values[i] = kNan;
    }
  }

  // ------------------------------------------------------------------------------------ packing

  struct PackTasks {
    const TiledAttention* attention;
    int64_t blocks;
  };

  static void PackTask(void* argument, size_t index) {
    const PackTasks& tasks = *static_cast<const PackTasks*>(argument);
    const int64_t task = static_cast<int64_t>(index);
    tasks.attention->PackBlock(task / tasks.blocks, task % tasks.blocks);
  }

  void PackBlock(int64_t slot, int64_t block) const {
    const Head head = HeadInFlight(slot);
    const int64_t end = Min(panels_, (block + 1) * kBlockPanels);
    for (int64_t panel = block * kBlockPanels; panel < end; ++panel) {
      if (packs_bias_) PackBias(head, panel);
      PackKeys(head, panel);
      PackValues(head, panel);
    }
  }

  // Keys that a bias of -inf hides from every query are packed as zeros, for padding may hold NaN.
  bool Hidden(const Head& head, int64_t key) const {
    return packs_bias_ && head.bias[key] == -kInfinity;
  }

  void PackKeys(const Head& head, int64_t panel) const {
    const AttentionProblem& p = problem_;
    const int64_t depth = p.head_size / kDepth;
    float* packed = head.keys + panel * kPanelKeys * depth;
    alignas(64) float rows[kLanes * kMaxHeadSize];
    float square = 0;
    for (int half = 0; half < 2; ++half) {
      for (int lane = 0; lane < kLanes; ++lane) {
        const int64_t key = panel * kPanelKeys + half * kLanes + lane;
        float* row = rows + lane * depth;
        if (key >= p.key_length || Hidden(head, key)) {
          std::memset(row, 0, static_cast<size_t>(depth) * sizeof(float));
          continue;
        }
        alignas(64) float buffer[kMaxHeadSize];
        const float* source = Row(p.key, p.key_strides, head, key, buffer);
        square = LargerSquare(square, source, 1.0f);
        Isa::PackRow(source, 1.0f, row, p.head_size);
        if (kDepth == 1 && square != square) CleanNan(row, depth);
      }
      for (int64_t i = 0; i < depth; i += kLanes) {
        Isa::Transpose(rows + i, depth, packed + i * kPanelKeys + half * kLanes, kPanelKeys);
      }
    }
    head.key_norms[panel] = __builtin_sqrtf(square);
  }

  void PackValues(const Head& head, int64_t panel) const {
    const AttentionProblem& p = problem_;
    const int64_t end = Min(p.key_length, (panel + 1) * kPanelKeys);
    alignas(64) float buffers[kDepth][kMaxHeadSize];
    alignas(64) static constexpr float kZeros[kMaxHeadSize] = {};
    Vector check = Isa::Zero();
    for (int64_t key = panel * kPanelKeys; key < end; key += kDepth) {
      const float* rows[kDepth];
      for (int i = 0; i < kDepth; ++i) {
        rows[i] = kZeros;
        if (key + i < end) rows[i] = Row(p.value, p.value_strides, head, key + i, buffers[i]);
        for (int64_t j = 0; j < p.head_size; j += kLanes) {
          // Slightly larger, since the largest numbers become infinite in bf16.
          const Vector value = Isa::Multiply(Isa::Load(rows[i] + j), Isa::Broadcast(1.01f));
          check = Isa::MultiplyAdd(value, Isa::Zero(), check);
        }
      }
      if (packs_values_) {
        Isa::PackValueRows(rows[0], rows[kDepth - 1],
                           head.packed_values + key / kDepth * p.head_size, p.head_size);
      }
    }
    head.value_checks[panel] = Isa::SumOfLanes(check);
  }

  void PackBias(const Head& head, int64_t panel) const {
    const AttentionProblem& p = problem_;
    const int64_t first = panel * kPanelKeys;
    const int64_t count = Min(kPanelKeys, p.key_length - first);
    float* bias = head.bias + first;
    ReadRow(p.bias, RowOffset(p.bias_strides, head, 0) + first, count, bias);
    CleanNan(bias, count);
    float largest = -kInfinity;
    float smallest = kInfinity;
    for (int64_t i = 0; i < count; ++i) {
      // A NaN must be seen by the rows it belongs to: its panel is never ruled out.
      if (!(bias[i] <= largest)) largest = bias[i] == bias[i] ? bias[i] : kInfinity;
      if (!(bias[i] >= smallest)) smallest = bias[i] == bias[i] ? bias[i] : -kInfinity;
    }
    for (int64_t i = count; i < kPanelKeys; ++i) bias[i] = 0;
    head.bias_max[panel] = largest;
    head.bias_min[panel] = smallest;
  }

  // ---------------------------------------------------------------------------------- attention

  static void TileTask(void* argument, size_t index) {
    const TiledAttention& attention = *static_cast<const TiledAttention*>(argument);
    const int64_t task = static_cast<int64_t>(index);
    attention.AttendTile(task / attention.tiles_, task % attention.tiles_);
  }

  // Rows [StripBegin(i), StripBegin(i + 1)) are strip i: at most kMaxRows, and nearly even.
  int64_t StripBegin(int64_t strip) const { return strip * problem_.query_length / strips_; }

  void AttendTile(int64_t slot, int64_t tile) const {
    const Head head = HeadInFlight(slot);
    const int64_t first = tile * strips_ / tiles_;
    const int64_t count = (tile + 1) * strips_ / tiles_ - first;
    Strip strips[kMaxStrips];
    alignas(64) float scores[kMaxRows * kScoreStride];
    int64_t longest = 0;
    for (int64_t i = 0; i < count; ++i) {
      OpenStrip(strips[i], head, StripBegin(first + i), StripBegin(first + i + 1));
      longest = Max(longest, strips[i].end_panel - strips[i].first_panel);
    }
    for (int64_t offset = 0; offset < longest; offset += kBlockPanels) {
      for (int64_t i = 0; i < count; ++i) {
        Strip& strip = strips[i];
        const int64_t rows = StripBegin(first + i + 1) - strip.first_row;
        const int64_t begin = strip.first_panel + offset;
        const int64_t end = Min(begin + kBlockPanels, strip.end_panel);
        for (int64_t panel = begin; panel < end;) {
          if (RuledOut(strip, rows, head, panel)) {
            ++panel;
            continue;
          }
          int64_t run = panel + 1;
          while (run < end && !RuledOut(strip, rows, head, run)) ++run;
          AttendRows(strip, rows, head, panel, run, scores);
          panel = run;
        }
      }
    }
    for (int64_t i = 0; i < count; ++i) {
      CloseStrip(strips[i], head, StripBegin(first + i + 1));
    }
  }

  int64_t FirstKey(int64_t row) const {
    return problem_.window_left == kUnlimitedWindow ? 0 : Max(0, row - problem_.window_left);
  }
  int64_t EndKey(int64_t row) const {
    const int64_t keys = problem_.key_length;
    // Not row + window_right + 1, which could overflow.
    if (problem_.window_right == kUnlimitedWindow || problem_.window_right >= keys - row) {
      return keys;
    }
    return row + problem_.window_right + 1;
  }

  void OpenStrip(Strip& strip, const Head& head, int64_t begin, int64_t end) const {
    const AttentionProblem& p = problem_;
    strip.first_row = begin;
    strip.first_panel = FirstKey(begin) / kPanelKeys;
    strip.end_panel = CeilDivide(EndKey(end - 1), kPanelKeys);
    float square = 0;
    alignas(64) float buffer[kMaxHeadSize];
    for (int64_t i = begin; i < end; ++i) {
      const float* row = Row(p.query, p.query_strides, head, i, buffer);
      square = LargerSquare(square, row, p.scale);
      float* packed = strip.query + (i - begin) * kQueryStride;
      Isa::PackRow(row, p.scale, packed, p.head_size);
      if (kDepth == 1 && square != square) CleanNan(packed, p.head_size);
    }
    strip.query_norm = __builtin_sqrtf(square);
    const int64_t rows = end - begin;
    std::memset(strip.output, 0, static_cast<size_t>(rows * p.head_size) * sizeof(float));
    std::memset(strip.sums, 0, static_cast<size_t>(rows * kLanes) * sizeof(float));
    Isa::Store(strip.maximum, Isa::Broadcast(-kInfinity));
    if (packs_bias_) strip.negligible = Negligible(strip, head, rows);
    BoundScores(strip, head, rows);
  }

  // |q k| <= |q||k|: where that is small, weights relative to it neither overflow nor vanish, and
  // the rows' largest scores need not be known. A bias may only hide keys: every row must see a
  // panel without any. Among few keys nothing is gained, and a largest weight of exactly 1 is the
  // more accurate.
  void BoundScores(Strip& strip, const Head& head, int64_t rows) const {
    constexpr float kLargestExponent = 40;
    constexpr int64_t kFewKeys = 128;
    strip.bounded = false;
    if (BiasPerRow()) return;
    int64_t keys = 0;
    bool unbiased = !packs_bias_;
    float bound = 0;
    for (int64_t panel = strip.first_panel; panel < strip.end_panel; ++panel) {
      if (RuledOut(strip, rows, head, panel)) continue;
      keys += kPanelKeys;
      if (packs_bias_) {
        if (!(head.bias_max[panel] <= 0)) return;
        unbiased = unbiased || (head.bias_max[panel] == 0 && Whole(strip, rows, panel));
      }
      const float score = ScoreBound(strip, head, panel);
      bound = LargerOrNan(bound, score);
    }
    strip.exponent = __builtin_ceilf(bound * kLog2E);
    strip.bounded =
        unbiased && keys > kFewKeys && strip.exponent <= kLargestExponent;  // false for NaN
  }

  // Every row's largest score is at least this much above what exp() takes for zero.
  //
  // |q k| <= |q||k|, so in a panel every row of the strip sees whole, the key of the largest bias
  // scores at least bias_max - |q||k|.
  float Negligible(const Strip& strip, const Head& head, int64_t rows) const {
    const int64_t first = CeilDivide(FirstKey(strip.first_row + rows - 1), kPanelKeys);
    const int64_t last_end = EndKey(strip.first_row);
    float bound = -kInfinity;
    for (int64_t panel = first; panel < strip.end_panel; ++panel) {
      if (Min((panel + 1) * kPanelKeys, problem_.key_length) > last_end) break;
      const float least = head.bias_max[panel] - ScoreBound(strip, head, panel);
      if (least > bound) bound = least;
    }
    return bound - 104.0f;  // exp(-104) is 0 in fp32
  }

  static float ScoreBound(const Strip& strip, const Head& head, int64_t panel) {
    constexpr float kRounding = kDepth == 1 ? 1.001f : 1.02f;
    return strip.query_norm * head.key_norms[panel] * kRounding;
  }

  bool RuledOut(const Strip& strip, int64_t rows, const Head& head, int64_t panel) const {
    if (packs_bias_) {
      // False for NaN.
      return head.bias_max[panel] == -kInfinity ||
             head.bias_max[panel] + ScoreBound(strip, head, panel) < strip.negligible;
    }
    if (!BiasPerRow()) return false;
    const int64_t first = panel * kPanelKeys;
    const int64_t count = Min(kPanelKeys, problem_.key_length - first);
    for (int64_t row = 0; row < rows; ++row) {
      const int64_t offset = RowOffset(problem_.bias_strides, head, strip.first_row + row) + first;
      for (int64_t i = 0; i < count; ++i) {
        const bool absent =
            problem_.element_type == ElementType::kFloat32
                ? static_cast<const float*>(problem_.bias)[offset + i] == -kInfinity
                : static_cast<const uint16_t*>(problem_.bias)[offset + i] == kHalfMinusInfinity;
        if (!absent) return false;
      }
    }
    return true;
  }

  // True when every row of the strip sees every key of the panel.
  bool Whole(const Strip& strip, int64_t rows, int64_t panel) const {
    return panel * kPanelKeys >= FirstKey(strip.first_row + rows - 1) &&
           (panel + 1) * kPanelKeys <= EndKey(strip.first_row);
  }

  using AttendFunction = void (TiledAttention::*)(Strip&, const Head&, int64_t, int64_t,
                                                  float*) const;

  template <int... kRows>
  struct AttendTable {
    AttendFunction functions[sizeof...(kRows)] = {&TiledAttention::Attend<kRows + 1>...};
  };
  template <class>
  struct MakeTable;
  template <int... kRows>
  struct MakeTable<std::integer_sequence<int, kRows...>> {
    static constexpr AttendTable<kRows...> table{};
  };

  void AttendRows(Strip& strip, int64_t rows, const Head& head, int64_t begin, int64_t end,
                  float* scores) const {
    constexpr auto& table = MakeTable<std::make_integer_sequence<int, kMaxRows>>::table;
    (this->*table.functions[rows - 1])(strip, head, begin, end, scores);
  }

  // The panels [begin, end), at most a block, for the kRows queries of a strip.
  template <int kRows>
  void Attend(Strip& strip, const Head& head, int64_t begin, int64_t end, float* scores) const {
    alignas(64) float maxima[kRows * kLanes];
    for (int row = 0; row < kRows; ++row) {
      Isa::Store(maxima + row * kLanes, Isa::Broadcast(-kInfinity));
    }
    for (int64_t panel = begin; panel < end; ++panel) {
      float* panel_scores = scores + (panel - begin) * kPanelKeys;
      const float* bias = nullptr;
      if (packs_bias_ && (head.bias_max[panel] != 0 || head.bias_min[panel] != 0)) {
        bias = head.bias + panel * kPanelKeys;
      }
      const bool finished = Whole(strip, kRows, panel) && !BiasPerRow();
      Score<kRows>(strip.query, head.keys + panel * kPanelKeys * (problem_.head_size / kDepth),
                   bias, panel_scores, finished && !strip.bounded ? maxima : nullptr);
      if (finished) continue;
      for (int row = 0; row < kRows; ++row) {
        FinishRow(head, strip.first_row + row, panel, panel_scores + row * kScoreStride,
                  maxima + row * kLanes);
      }
    }

    const int64_t first_key = begin * kPanelKeys;
    const int64_t keys = Min(end * kPanelKeys, problem_.key_length) - first_key;
    const int64_t vectors = CeilDivide(keys, kLanes);
    alignas(64) float corrections[kLanes];
    if (strip.bounded) {
      Isa::Store(corrections, Isa::Broadcast(1.0f));
    } else {
      RaiseMaxima<kRows>(strip, maxima, corrections);
    }
    for (int row = 0; row < kRows; ++row) {
      float* row_scores = scores + row * kScoreStride;
      const Vector sum = strip.bounded ? WeighBounded(row_scores, vectors, strip.exponent)
                                       : Weigh(row_scores, vectors, strip.maximum[row]);
      float* sums = strip.sums + row * kLanes;
      Isa::Store(sums, Isa::MultiplyAdd(Isa::Load(sums), Isa::Broadcast(corrections[row]), sum));
    }
    for (int64_t panel = begin; panel < end; ++panel) {
      if (head.value_checks[panel] == 0) continue;
      CombineSeen(strip, kRows, head, first_key, keys, scores, corrections);
      return;
    }
    const float* values = head.values + first_key / kDepth * head.value_stride;
    for (int64_t column = 0; column < problem_.head_size; column += kPanelKeys) {
      Combine<kRows>(scores, values + column, head.value_stride, CeilDivide(keys, kDepth),
                     corrections, strip.output + column, problem_.head_size);
    }
  }

  // Scores of kRows queries against one panel of keys, plus the bias that all of them share.
  template <int kRows>
  void Score(const float* query, const float* keys, const float* bias, float* scores,
             float* maxima) const {
    Vector sums[kRows][2];
#pragma GCC unroll 16
    for (int row = 0; row < kRows; ++row) sums[row][0] = sums[row][1] = Isa::Zero();
    const int64_t depth = problem_.head_size / kDepth;
    for (int64_t i = 0; i < depth; ++i) {
      const auto left = Isa::LoadOperands(keys + i * kPanelKeys);
      const auto right = Isa::LoadOperands(keys + i * kPanelKeys + kLanes);
      __builtin_prefetch(keys + (i + depth) * kPanelKeys);  // the next panel
      __builtin_prefetch(keys + (i + depth) * kPanelKeys + kLanes);
#pragma GCC unroll 16
      for (int row = 0; row < kRows; ++row) {
        const auto operand = Isa::BroadcastOperand(query + row * kQueryStride + i);
        sums[row][0] = Isa::MultiplyAddOperands(operand, left, sums[row][0]);
        sums[row][1] = Isa::MultiplyAddOperands(operand, right, sums[row][1]);
      }
    }
    if (bias != nullptr) {
      const Vector left = Isa::Load(bias);
      const Vector right = Isa::Load(bias + kLanes);
#pragma GCC unroll 16
      for (int row = 0; row < kRows; ++row) {
        sums[row][0] = Isa::Add(sums[row][0], left);
        sums[row][1] = Isa::Add(sums[row][1], right);
      }
    }
#pragma GCC unroll 16
    for (int row = 0; row < kRows; ++row) {
      Isa::Store(scores + row * kScoreStride, sums[row][0]);
      Isa::Store(scores + row * kScoreStride + kLanes, sums[row][1]);
    }
    if (maxima == nullptr) return;
#pragma GCC unroll 16
    for (int row = 0; row < kRows; ++row) {
      const Vector larger = Isa::Larger(sums[row][0], sums[row][1]);
      Isa::Store(maxima + row * kLanes, Isa::Larger(larger, Isa::Load(maxima + row * kLanes)));
    }
  }

  // Adds the row's own bias and puts -inf where the row sees no key.
  void FinishRow(const Head& head, int64_t row, int64_t panel, float* scores,
                 float* maximum) const {
    const int64_t first = panel * kPanelKeys;
    if (BiasPerRow()) {
      const int64_t count = Min(kPanelKeys, problem_.key_length - first);
      alignas(64) float bias[kPanelKeys];
      const int64_t offset = RowOffset(problem_.bias_strides, head, row) + first;
      ReadRow(problem_.bias, offset, count, bias);
      CleanNan(bias, count);
      for (int64_t i = 0; i < count; ++i) {
        scores[i] = bias[i] == -kInfinity ? -kInfinity : scores[i] + bias[i];  // never NaN
      }
    }
    const int64_t begin = FirstKey(row) - first;
    const int64_t end = EndKey(row) - first;
    const Vector left = Isa::Keep(Isa::Load(scores), begin, end);
    const Vector right = Isa::Keep(Isa::Load(scores + kLanes), begin - kLanes, end - kLanes);
    Isa::Store(scores, left);
    Isa::Store(scores + kLanes, right);
    Isa::Store(maximum, Isa::Larger(Isa::Larger(left, right), Isa::Load(maximum)));
  }

  // Takes the largest score of each row in this block, by lanes; gives the factor for what was
  // summed in terms of the former maximum.
  template <int kRows>
  static void RaiseMaxima(Strip& strip, const float* maxima, float* corrections) {
    alignas(64) float largest[kLanes];
    Isa::Store(largest, Isa::Broadcast(-kInfinity));
    for (int row = 0; row < kRows; ++row) {
      largest[row] = Isa::LargestLane(Isa::Load(maxima + row * kLanes));
    }
    const Vector before = Isa::Load(strip.maximum);
    const Vector after = Isa::Larger(Isa::Load(largest), before);
    Isa::Store(strip.maximum, after);
    Isa::Store(corrections, ExpOfNegative(Isa::Subtract(before, Reference(after))));
  }

  // What scores are compared with: 0 for rows that have seen no key, whose scores are all -inf and
  // whose weights must be 0.
  static Vector Reference(Vector maximum) { return Isa::ZeroWhereMinusInfinity(maximum); }

  // Turn a row of scores into weights, and return their sum, by lanes.
  static Vector Weigh(float* scores, int64_t vectors, float maximum) {
    const Vector reference = Reference(Isa::Broadcast(maximum));
    Vector sum = Isa::Zero();
    for (int64_t i = 0; i < vectors; ++i) {
      const Vector weight = ExpOfNegative(Isa::Subtract(Isa::Load(scores + i * kLanes), reference));
      sum = Isa::Add(sum, weight);
      Isa::StoreWeights(scores, i, weight);
    }
    return sum;
  }

  static Vector WeighBounded(float* scores, int64_t vectors, float exponent) {
    Vector sum = Isa::Zero();
    for (int64_t i = 0; i < vectors; ++i) {
      const Vector weight = BoundedWeight(Isa::Load(scores + i * kLanes), Isa::Broadcast(exponent));
      sum = Isa::Add(sum, weight);
      Isa::StoreWeights(scores, i, weight);
    }
    return sum;
  }

  // exp(x) for x <= 0, relative error about 2e-7 + 1.4e-8 |x| (log2(e) is rounded); 0 below the
  // smallest normal number. NaN stays (see CleanNan).
  //
  // exp(x) = 2^n 2^r with n the nearest integer to x log2(e), which adding kShifter rounds to and
  // leaves in the low bits of the sum.
  static Vector ExpOfNegative(Vector x) {
    const Vector log2e = Isa::Broadcast(kLog2E);
    const Vector shifter = Isa::Broadcast(kShifter);
    const Vector shifted = Isa::MultiplyAdd(x, log2e, shifter);
    const Vector n = Isa::Subtract(shifted, shifter);
    return PowerOfTwo(Isa::MultiplySubtract(x, log2e, n), shifted, x, -87.0f);
  }

  // 2^(x log2(e) - exponent) for x and exponent as BoundScores allows; 0 where x < -58, which is
  // 2^-40 of the row's largest weight at most.
  static Vector BoundedWeight(Vector x, Vector exponent) {
    const Vector log2e = Isa::Broadcast(kLog2E);
    const Vector shifter = Isa::Subtract(Isa::Broadcast(kShifter), exponent);  // exact
    const Vector shifted = Isa::MultiplyAdd(x, log2e, shifter);
    const Vector n = Isa::Subtract(shifted, shifter);
    return PowerOfTwo(Isa::MultiplySubtract(x, log2e, n), shifted, x, -58.0f);
  }

  // 2^r 2^n, n being the low bits of `shifted` and |r| <= 1/2; 0 where x < limit.
  //
  // The minimax polynomial of degree 5 for 2^r with P(0) = 1: relative error 8e-8.
  static Vector PowerOfTwo(Vector r, Vector shifted, Vector x, float limit) {
    Vector p = Isa::MultiplyAdd(Isa::Broadcast(0x1.5a5592p-10f), r, Isa::Broadcast(0x1.3ce8b0p-7f));
    p = Isa::MultiplyAdd(p, r, Isa::Broadcast(0x1.c6bad0p-5f));
    p = Isa::MultiplyAdd(p, r, Isa::Broadcast(0x1.ebf9cap-3f));
    p = Isa::MultiplyAdd(p, r, Isa::Broadcast(0x1.62e426p-1f));
    p = Isa::MultiplyAdd(p, r, Isa::Broadcast(1.0f));
    return Isa::ScaleUnlessBelow(p, shifted, x, limit);
  }

  // output = output * correction + weights values, for kRows rows and two vectors of columns.
  template <int kRows>
  static void Combine(const float* weights, const float* values, int64_t value_stride,
                      int64_t depth, const float* corrections, float* output,
                      int64_t output_stride) {
    Vector sums[kRows][2];
#pragma GCC unroll 16
    for (int row = 0; row < kRows; ++row) sums[row][0] = sums[row][1] = Isa::Zero();
    for (int64_t i = 0; i < depth; ++i) {
      const auto left = Isa::LoadOperands(values + i * value_stride);
      const auto right = Isa::LoadOperands(values + i * value_stride + kLanes);
#pragma GCC unroll 16
      for (int row = 0; row < kRows; ++row) {
        const auto operand = Isa::BroadcastOperand(weights + row * kScoreStride + i);
        sums[row][0] = Isa::MultiplyAddOperands(operand, left, sums[row][0]);
        sums[row][1] = Isa::MultiplyAddOperands(operand, right, sums[row][1]);
      }
    }
#pragma GCC unroll 16
    for (int row = 0; row < kRows; ++row) {
      const Vector correction = Isa::Broadcast(corrections[row]);
      float* target = output + row * output_stride;
      Isa::Store(target, Isa::MultiplyAdd(Isa::Load(target), correction, sums[row][0]));
      Isa::Store(target + kLanes,
                 Isa::MultiplyAdd(Isa::Load(target + kLanes), correction, sums[row][1]));
    }
  }

  // As Combine, for values that are not all finite: 0 times them would be NaN, so that they would
  // reach queries that do not see them.
  void CombineSeen(Strip& strip, int rows, const Head& head, int64_t first_key, int64_t keys,
                   const float* weights, const float* corrections) const {
    const int64_t size = problem_.head_size;
    for (int row = 0; row < rows; ++row) {
      float* output = strip.output + row * size;
      for (int64_t j = 0; j < size; ++j) output[j] *= corrections[row];
    }
    alignas(64) float buffer[kMaxHeadSize];
    for (int64_t key = 0; key < keys; ++key) {
      const float* value =
          Row(problem_.value, problem_.value_strides, head, first_key + key, buffer);
      for (int row = 0; row < rows; ++row) {
        const float weight = Isa::Weight(weights + row * kScoreStride, key);
        if (weight == 0) continue;
        float* output = strip.output + row * size;
        for (int64_t j = 0; j < size; ++j) output[j] += weight * value[j];
      }
    }
  }

  void CloseStrip(const Strip& strip, const Head& head, int64_t end) const {
    const AttentionProblem& p = problem_;
    for (int64_t row = strip.first_row; row < end; ++row) {
      const int64_t i = row - strip.first_row;
      const float sum = Isa::SumOfLanes(Isa::Load(strip.sums + i * kLanes));
      const Vector factor = Isa::Broadcast(sum == 0 ? 0.0f : 1.0f / sum);
      const float* source = strip.output + i * p.head_size;
      const int64_t offset = RowOffset(p.output_strides, head, row);
      for (int64_t column = 0; column < p.head_size; column += kLanes) {
        const Vector value = Isa::Multiply(Isa::Load(source + column), factor);
        if (p.element_type == ElementType::kFloat32) {
          Isa::Store(static_cast<float*>(p.output) + offset + column, value);
        } else {
          Isa::StoreHalf(static_cast<uint16_t*>(p.output) + offset + column, value);
        }
      }
    }
  }

  explicit TiledAttention(const AttentionProblem& problem)
      : problem_(problem),
        panels_(CeilDivide(problem.key_length, kPanelKeys)),
        strips_(CeilDivide(problem.query_length, kMaxRows)),
        tiles_(CeilDivide(strips_, StripsPerTile(problem.head_size))),
        packs_values_(PacksValues(problem)),
        packs_bias_(PacksBias(problem)),
        heads_in_flight_(HeadsInFlight()) {}

 public:
  static size_t ScratchBytes(const AttentionProblem& problem) {
    const TiledAttention attention(problem);
    return static_cast<size_t>(attention.heads_in_flight_) * attention.HeadBytes();
  }

  static void Run(const AttentionProblem& problem, void* scratch, const ParallelFor& parallel_for) {
    TiledAttention attention(problem);
    attention.scratch_ = static_cast<char*>(scratch);
    const int64_t heads = problem.batch * problem.heads;
    PackTasks packing{&attention, CeilDivide(attention.panels_, kBlockPanels)};
    for (; attention.first_head_ < heads; attention.first_head_ += attention.heads_in_flight_) {
      const int64_t wave = Min(attention.heads_in_flight_, heads - attention.first_head_);
      parallel_for.run(parallel_for.context, &PackTask, static_cast<size_t>(wave * packing.blocks),
                       &packing);
      parallel_for.run(parallel_for.context, &TileTask,
                       static_cast<size_t>(wave * attention.tiles_), &attention);
    }
  }
};

}  // namespace
}  // namespace ck_flash_attention
