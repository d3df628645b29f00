// Finds sentences that repeat an earlier one; see duplicates.py.
#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

#include "characters.h"
#include "library.h"

namespace pointsman {
namespace {

constexpr int kBands = 2, kRows = 2;
constexpr std::array<uint32_t, kBands * kRows> kDraws = {0x9E3779B1, 0x85EBCA6B, 0xC2B2AE35,
                                                         0x27D4EB2F};
constexpr std::array<uint64_t, 2> kFactors = {0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9};
constexpr double kAlike = 0.8;

using Values = std::array<uint32_t, kBands * kRows>;

struct Signed {
  uint64_t signature;
  int32_t row;
  bool operator<(const Signed& other) const {
    return signature != other.signature ? signature < other.signature : row < other.row;
  }
};

// The terms of sentences, in compressed rows, of which some are counted.
struct Terms {
  const int32_t* row_ends;  // ends[row] is the end of the row before
  const int32_t* columns;
  const uint8_t* counted;
};

// Keeps of some signatures those that may be there twice: all but those alone in their slot.
int64_t keep_shared(Signed* all, int64_t count, uint64_t factor, uint8_t* slots, int bits) {
  const auto slot = [&](const Signed& one) { return one.signature * factor >> (64 - bits); };
  std::fill(slots, slots + (int64_t{1} << bits), uint8_t{0});
  for (int64_t i = 0; i < count; ++i) {
    uint8_t& taken = slots[slot(all[i])];
    taken = taken ? 2 : 1;
  }
  Signed* end =
      std::remove_if(all, all + count, [&](const Signed& one) { return slots[slot(one)] < 2; });
  return end - all;
}

// Sorts by signature what ascends by row, in linear time: by one digit after the other, the lowest
// first, but for those that are the same in all. `spare` is of the same size.
void sort(Signed* all, int64_t count, Signed* spare) {
  constexpr int kBits = 11, kDigits = (64 + kBits - 1) / kBits;
  constexpr int64_t kFew = 4096;
  if (count <= kFew) return std::sort(all, all + count);
  std::array<std::array<int64_t, 1 << kBits>, kDigits> places{};
  const auto digit = [](const Signed& one, int nth) {
    return one.signature >> (kBits * nth) & ((1 << kBits) - 1);
  };
  for (int64_t i = 0; i < count; ++i) {
    for (int nth = 0; nth < kDigits; ++nth) ++places[nth][digit(all[i], nth)];
  }
  Signed *from = all, *to = spare;
  for (int nth = 0; nth < kDigits; ++nth) {
    std::array<int64_t, 1 << kBits>& place = places[nth];
    if (place[digit(all[0], nth)] == count) continue;
    std::exclusive_scan(place.begin(), place.end(), place.begin(), int64_t{0});
    for (int64_t i = 0; i < count; ++i) to[place[digit(from[i], nth)]++] = from[i];
    std::swap(from, to);
  }
  if (from != all) std::copy(from, from + count, all);
}

// Compares rows with the first one of the same signature.
class Comparison {
 public:
  Comparison(const Terms& terms, const int32_t* sizes, int32_t* marks)
      : terms_(terms), sizes_(sizes), marks_(marks) {}

  void with(int32_t first) {
    ++round_;
    first_ = first;
    for (int32_t at = terms_.row_ends[first]; at < terms_.row_ends[first + 1]; ++at) {
      marks_[terms_.columns[at]] = round_;
    }
  }

  double likeness(int32_t row) const {
    int32_t common = 0;
    for (int32_t at = terms_.row_ends[row]; at < terms_.row_ends[row + 1]; ++at) {
      const int32_t column = terms_.columns[at];
      common += marks_[column] == round_ && terms_.counted[column];
    }
    const int32_t either = sizes_[first_] + sizes_[row] - common;
    return static_cast<double>(common) / std::max(either, 1);
  }

 private:
  const Terms& terms_;
  const int32_t* sizes_;
  int32_t* marks_;
  int32_t round_ = 0, first_ = 0;
};

}  // namespace
}  // namespace pointsman

// Writes for each of `rows` sentences the earlier one that it repeats, or itself. Their terms are
// in compressed rows; each of the `columns` terms has a key, and is counted or not.
POINTSMAN_EXPORT int64_t pointsman_near_duplicates(const int32_t* row_ends, int64_t rows,
                                                   const int32_t* columns, int64_t column_count,
                                                   const uint32_t* keys, const uint8_t* counted,
                                                   int64_t* repeated) noexcept {
  using namespace pointsman;
  int bits = 4;
  while ((int64_t{1} << bits) < 4 * rows) ++bits;
  const auto hashes = allocate<Values>(column_count);
  const auto marks = allocate<int32_t>(column_count);
  const auto sizes = allocate<int32_t>(rows);
  const auto best = allocate<double>(rows);
  const auto slots = allocate<uint8_t>(int64_t{1} << bits);
  const auto bands = allocate<Signed>(kBands * rows);
  const auto spare = allocate<Signed>(rows);
  if (!spare || !hashes || !marks || !sizes || !best || !slots || !bands) return kOutOfMemory;

  for (int64_t column = 0; column < column_count; ++column) {
    for (size_t nth = 0; nth < kDraws.size(); ++nth) {
      const uint32_t hash = keys[column] * kDraws[nth];
      hashes[column][nth] = counted[column] ? hash ^ hash >> 15 : ~uint32_t{0};
    }
  }
  constexpr int32_t kAhead = 16;
  const int32_t entries = row_ends[rows];
  int64_t some = 0;  // sentences with terms that are counted
  for (int64_t row = 0; row < rows; ++row) {
    repeated[row] = row;
    best[row] = 0;
    sizes[row] = 0;
    if (row_ends[row] == row_ends[row + 1]) continue;
    Values least;
    least.fill(~uint32_t{0});
    for (int32_t at = row_ends[row]; at < row_ends[row + 1]; ++at) {
      const int32_t column = columns[at];
      if (at + kAhead < entries) __builtin_prefetch(&hashes[columns[at + kAhead]]);
      sizes[row] += counted[column] != 0;
      for (size_t nth = 0; nth < kDraws.size(); ++nth) {
        least[nth] = std::min(least[nth], hashes[column][nth]);
      }
    }
    if (sizes[row] == 0) continue;  // likeness counts other words
    for (int band = 0; band < kBands; ++band) {
      bands[band * rows + some] = {uint64_t{least[kRows * band]} << 32 | least[kRows * band + 1],
                                   static_cast<int32_t>(row)};
    }
    ++some;
  }

  std::fill(marks.get(), marks.get() + column_count, 0);
  const Terms terms{row_ends, columns, counted};
  Comparison comparison(terms, sizes.get(), marks.get());
  for (int band = 0; band < kBands; ++band) {
    Signed* found = &bands[band * rows];
    int64_t count = some;
    for (const uint64_t factor : kFactors) {  // what meets in one slot hardly does in the other
      count = keep_shared(found, count, factor, slots.get(), bits);
    }
    if (count > 0) sort(found, count, spare.get());
    int64_t first = 0;
    for (int64_t i = 1; i < count; ++i) {
      if (found[i].signature != found[first].signature) {
        first = i;
        continue;
      }
      if (i == first + 1) comparison.with(found[first].row);
      const int32_t row = found[i].row;
      const double likeness = comparison.likeness(row);
      if (likeness < best[row]) continue;  // of equals the last counts
      best[row] = likeness;
      repeated[row] = found[first].row;
    }
  }
  // The first of a group may itself repeat another: what it is like is then no longer there.
  for (int64_t row = rows - 1; row >= 0; --row) {
    const int64_t first = repeated[row];
    if (best[row] < kAlike || best[first] >= kAlike) repeated[row] = row;
  }
  return 0;
}

// Writes 1 for each of some words, given by their indices into starts and ends, of whose first
// `sought` characters none is a digit, else 0.
POINTSMAN_EXPORT int64_t pointsman_are_names(const uint8_t* properties, const int64_t* starts,
                                             const int64_t* ends, const int64_t* words,
                                             int64_t count, int64_t sought,
                                             uint8_t* are_names) noexcept {
  constexpr int64_t kAhead = 16;  // the words come in no order
  for (int64_t nth = 0; nth < count; ++nth) {
    if (nth + 2 * kAhead < count) {
      __builtin_prefetch(starts + words[nth + 2 * kAhead]);
      __builtin_prefetch(ends + words[nth + 2 * kAhead]);
      __builtin_prefetch(properties + starts[words[nth + kAhead]]);
    }
    const int64_t start = starts[words[nth]], end = std::min(ends[words[nth]], start + sought);
    uint8_t any = 0;
    for (int64_t at = start; at < end; ++at) any |= properties[at] & pointsman::kDigit;
    are_names[nth] = any == 0;
  }
  return 0;
}
