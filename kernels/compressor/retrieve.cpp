// Fills room with the best sentences that do not repeat what is kept; see retrieve.py.
#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "library.h"

namespace pointsman {
namespace {

constexpr double kNever = -std::numeric_limits<double>::infinity();

// The term counts of sentences, in compressed rows.
struct Terms {
  const int32_t* row_ends;  // ends[row] is the end of the row before
  const int32_t* columns;
  const double* counts;
};

struct Ranked {
  uint64_t key;
  int32_t sentence;
  bool operator<(const Ranked& other) const {
    return key != other.key ? key > other.key : sentence < other.sentence;
  }
};

// A number that orders as the score does, whatever it is.
uint64_t key_of(double score) {
  const auto bits = std::bit_cast<uint64_t>(score + 0.0);  // -0 is 0
  return bits >> 63 ? ~bits : bits | uint64_t{1} << 63;
}

// Cosines of one sentence after another with those of a pool; _cosines in retrieve.py. The sums are
// of whole numbers, and so exact: only the last steps round.
class Likeness {
 public:
  bool reserve(const Terms& terms, int64_t columns, const Ranked* pool, int64_t count) {
    terms_ = terms;
    count_ = count;
    int64_t entries = 0;
    for (int64_t i = 0; i < count; ++i) {
      const int32_t row = pool[i].sentence;
      entries += terms.row_ends[row + 1] - terms.row_ends[row];
    }
    ends_ = allocate<int64_t>(count + 1);
    columns_ = allocate<int32_t>(entries);
    values_ = allocate<double>(entries);
    scales_ = allocate<double>(count);
    sentence_ = allocate<double>(columns);
    if (!ends_ || !columns_ || !values_ || !scales_ || !sentence_) return false;
    std::fill(sentence_.get(), sentence_.get() + columns, 0.0);
    int64_t end = ends_[0] = 0;
    for (int64_t i = 0; i < count; ++i) {
      const int32_t row = pool[i].sentence;
      const int32_t start = terms.row_ends[row], stop = terms.row_ends[row + 1];
      double square = 0;
      for (int32_t at = start; at < stop; ++at, ++end) {
        columns_[end] = terms.columns[at];
        values_[end] = terms.counts[at];
        square += values_[end] * values_[end];
      }
      scales_[i] = scale_of(square);
      ends_[i + 1] = end;
    }
    return true;
  }

  // Calls found(nth, cosine) for each of the pool.
  template <class Found>
  void to(int64_t sentence, Found found) {
    const int32_t start = terms_.row_ends[sentence], stop = terms_.row_ends[sentence + 1];
    double square = 0;
    for (int32_t at = start; at < stop; ++at) {
      square += terms_.counts[at] * terms_.counts[at];
      sentence_[terms_.columns[at]] = terms_.counts[at];
    }
    const double scale = 1e6 * scale_of(square);
    for (int64_t i = 0; i < count_; ++i) {
      double sum = 0;
      for (int64_t at = ends_[i]; at < ends_[i + 1]; ++at) {
        sum += values_[at] * sentence_[columns_[at]];
      }
      found(i, std::nearbyint(sum * (scale * scales_[i])) * 1e-6);
    }
    for (int32_t at = start; at < stop; ++at) sentence_[terms_.columns[at]] = 0;
  }

 private:
  static double scale_of(double square) { return 1 / std::sqrt(std::max(square, 1.0)); }

  Terms terms_{};
  int64_t count_ = 0;
  std::unique_ptr<int64_t[]> ends_;
  std::unique_ptr<int32_t[]> columns_;
  std::unique_ptr<double[]> values_, scales_, sentence_;
};

// What is kept, and what room is left.
struct Choice {
  const int64_t* tokens;
  const int64_t* shared;
  int64_t sentences;
  int64_t left;
  uint8_t* kept;
  int64_t* chosen;
  int64_t count = 0;

  // Tokens that a sentence and its neighbours may have in common.
  int64_t most_shared(int64_t sentence) const {
    return shared[sentence] + (sentence ? shared[sentence - 1] : 0);
  }

  bool take(int64_t sentence) {
    int64_t cost = tokens[sentence];
    if (sentence && kept[sentence - 1]) cost -= shared[sentence - 1];
    if (sentence + 1 < sentences && kept[sentence + 1]) cost -= shared[sentence];
    if (cost > left) return false;
    kept[sentence] = 1;
    chosen[count++] = sentence;
    left -= cost;
    return true;
  }
};

// Takes the best of a pool, each worth its score less a penalty for its likeness to what is kept.
bool take_unlike(Choice& choice, const double* scores, const Terms& terms, int64_t columns,
                 const Ranked* pool, int64_t count, double penalty) {
  const auto value = allocate<double>(count);
  Likeness likeness;
  if (!value || (penalty != 0 && !likeness.reserve(terms, columns, pool, count))) return false;
  for (int64_t i = 0; i < count; ++i) value[i] = scores[pool[i].sentence];
  const auto penalise = [&](int64_t sentence) {
    if (penalty == 0) return;
    likeness.to(sentence, [&](int64_t i, double cosine) {
      value[i] = std::min(value[i], scores[pool[i].sentence] - penalty * cosine);
    });
  };
  for (int64_t sentence = 0; sentence < choice.sentences; ++sentence) {
    if (choice.kept[sentence]) penalise(sentence);
  }
  for (;;) {
    int64_t best = -1;
    for (int64_t i = 0; i < count; ++i) {
      const int64_t sentence = pool[i].sentence;
      // Also those count that may fit thanks to a neighbour that is kept.
      if (choice.tokens[sentence] - choice.most_shared(sentence) > choice.left) value[i] = kNever;
      if (value[i] > (best < 0 ? kNever : value[best])) best = i;
    }
    if (best < 0) return true;
    value[best] = kNever;
    if (choice.take(pool[best].sentence)) penalise(pool[best].sentence);
  }
}

}  // namespace
}  // namespace pointsman

// Keeps of some sentences those that are worth most, as retrieve.retrieve does once it has kept
// what is forced. Writes them into `chosen` in the order of choice, marks them in `kept`, which
// tells what is kept before, and returns how many they are.
POINTSMAN_EXPORT int64_t pointsman_fill_room(const double* scores, const int64_t* tokens,
                                             const int64_t* shared, const uint8_t* repeated,
                                             int64_t sentences, const int32_t* row_ends,
                                             const int32_t* columns, const double* counts,
                                             int64_t column_count, int64_t pool_size,
                                             double penalty, int64_t left, uint8_t* kept,
                                             int64_t* chosen) noexcept {
  using namespace pointsman;
  const auto ranked = allocate<Ranked>(sentences);
  if (!ranked) return kOutOfMemory;
  // Those that repeat none before those that do.
  int64_t once = 0, all = sentences;
  for (int64_t sentence = 0; sentence < sentences; ++sentence) {
    if (!kept[sentence]) {
      ranked[repeated[sentence] ? --all : once++] = {key_of(scores[sentence]),
                                                     static_cast<int32_t>(sentence)};
    }
  }
  Ranked *begin = ranked.get(), *end = begin + once;
  Ranked* pool_end = begin + std::min(pool_size, once);
  if (pool_end < end) std::nth_element(begin, pool_end, end);
  std::sort(begin, pool_end);
  Choice choice{tokens, shared, sentences, left, kept, chosen};
  if (!take_unlike(choice, scores, {row_ends, columns, counts}, column_count, begin,
                   pool_end - begin, penalty)) {
    return kOutOfMemory;
  }
  // The others in order, as far as they fit.
  const auto is_too_large = [limit = choice.left, tokens](const Ranked& one) {
    return tokens[one.sentence] > limit;
  };
  int64_t smallest = choice.left + 1;
  const auto take_best = [&](Ranked* first, Ranked* last) {
    // Of many mostly few fit: they are brought into order as far as it goes.
    for (int64_t count = 1024; first < last && choice.left >= smallest; count *= 2) {
      Ranked* next = first + std::min(count, last - first);
      if (next < last) std::nth_element(first, next, last);
      std::sort(first, next);
      for (; first < next && choice.left >= smallest; ++first) choice.take(first->sentence);
    }
  };
  end = std::remove_if(pool_end, end, is_too_large);
  Ranked* again = ranked.get() + all;
  Ranked* again_end = std::remove_if(again, ranked.get() + sentences, is_too_large);
  for (const Ranked* one = pool_end; one < end; ++one) {
    smallest = std::min(smallest, tokens[one->sentence]);
  }
  for (const Ranked* one = again; one < again_end; ++one) {
    smallest = std::min(smallest, tokens[one->sentence]);
  }
  take_best(pool_end, end);
  take_best(again, again_end);
  return choice.count;
}
