// Splits a normalised text into words and hashes them; see words.py.
#include <utility>

#include "characters.h"
#include "library.h"

namespace pointsman {
namespace {

// The hash of words.py: the sum of spread characters times powers of a secret base.
struct Hasher {
  uint64_t spread;
  const uint64_t* powers;

  template <class Code>
  uint64_t operator()(const Code* codes, int64_t length) const {
    uint64_t sum = 0;
    for (int64_t i = 0; i < length; ++i) {
      uint64_t code = (uint64_t{codes[i]} + 1) * spread;
      sum += (code ^ (code >> 29)) * powers[i];
    }
    return sum;
  }
};

// Distinct hashes, in the order of their values.
//
// Open addressing with the high bits of the (secret) hash as slot, so that the slots are nearly in
// order, whatever is added. Of S slots at most half are taken.
class HashTable {
 public:
  struct Slot {
    uint64_t hash;
    int32_t first;  // where it was first met; -1: free
    int32_t number;
  };

  bool reserve() noexcept { return grow(10); }

  // The number of a hash, in the order of arrival; -1 where memory is out.
  int32_t find_or_add(uint64_t hash, int32_t where) noexcept {
    Slot* slot = probe(hash);
    if (slot->first >= 0) return slot->number;
    if (2 * (count_ + 1) > (int64_t{1} << bits_)) {
      if (!grow(bits_ + 1)) return -1;
      slot = probe(hash);
    }
    *slot = {hash, where, static_cast<int32_t>(count_++)};
    return slot->number;
  }

  int64_t count() const noexcept { return count_; }

  // Moves what is there to the front, in the order of hashes.
  const Slot* sort() noexcept {
    Slot* slots = slots_.get();
    int64_t sorted = 0;
    for (int64_t i = 0; i < int64_t{1} << bits_; ++i) {
      if (slots[i].first < 0) continue;
      const Slot slot = slots[i];
      int64_t at = sorted++;
      for (; at > 0 && slots[at - 1].hash > slot.hash; --at) slots[at] = slots[at - 1];
      slots[at] = slot;
    }
    return slots;
  }

 private:
  Slot* probe(uint64_t hash) const noexcept {
    const uint64_t mask = (uint64_t{1} << bits_) - 1;
    uint64_t at = hash >> (64 - bits_);
    while (slots_[at].first >= 0 && slots_[at].hash != hash) at = (at + 1) & mask;
    return &slots_[at];
  }

  bool grow(int bits) noexcept {
    const int64_t before = slots_ ? int64_t{1} << bits_ : 0, after = int64_t{1} << bits;
    std::unique_ptr<Slot[]> old = std::move(slots_);
    slots_ = allocate<Slot>(after);
    if (!slots_) return false;
    bits_ = bits;
    for (int64_t i = 0; i < after; ++i) slots_[i].first = -1;
    for (int64_t i = 0; i < before; ++i) {
      if (old[i].first >= 0) *probe(old[i].hash) = old[i];
    }
    return true;
  }

  std::unique_ptr<Slot[]> slots_;
  int bits_ = 0;
  int64_t count_ = 0;
};

// Calls found(start, end, is_term) for each word.
template <class Found>
void for_each_word(const uint8_t* properties, int64_t length, int64_t longest, Found found) {
  for (int64_t i = 0; i < length;) {
    const int kind = properties[i] & kKind;
    int64_t end = i + 1;
    if (kind == kWord) {
      while (end < length && (properties[end] & kKind) == kWord && end - i < longest) ++end;
    }
    if (kind != kSpace) found(i, end, (kind & 1) != 0);
    i = end;
  }
}

template <class Code>
int64_t split(const Code* codes, const uint8_t* properties, int64_t length, int64_t longest,
              const Hasher& hash, int64_t* starts, int64_t* ends, int64_t* terms, int32_t* which,
              uint64_t* distinct, int64_t* examples) noexcept {
  HashTable table;
  if (!table.reserve()) return kOutOfMemory;
  int64_t word = 0, term = 0;
  bool complete = true;
  for_each_word(properties, length, longest, [&](int64_t start, int64_t end, bool is_term) {
    starts[word] = start;
    ends[word] = end;
    if (is_term) {
      const int32_t number =
          table.find_or_add(hash(codes + start, end - start), static_cast<int32_t>(word));
      complete &= number >= 0;
      terms[term] = word;
      which[term++] = number;
    }
    ++word;
  });
  const int64_t count = table.count();
  const auto rank = allocate<int32_t>(count);
  if (!complete || !rank) return kOutOfMemory;
  const HashTable::Slot* slots = table.sort();
  for (int64_t i = 0; i < count; ++i) {
    distinct[i] = slots[i].hash;
    examples[i] = slots[i].first;
    rank[slots[i].number] = static_cast<int32_t>(i);
  }
  for (int64_t i = 0; i < term; ++i) which[i] = rank[which[i]];
  return count;
}

}  // namespace
}  // namespace pointsman

// Counts the words of a text of less than 2^31 characters into counts[0], and those of them that
// are terms into counts[1].
POINTSMAN_EXPORT int64_t pointsman_count_words(const uint8_t* properties, int64_t length,
                                               int64_t longest, int64_t* counts) noexcept {
  counts[0] = counts[1] = 0;
  pointsman::for_each_word(properties, length, longest, [&](int64_t, int64_t, bool is_term) {
    ++counts[0];
    counts[1] += is_term;
  });
  return 0;
}

// Writes the arrays of words.Words. Code points are of code_size octets, 1 or 4; powers has
// `longest` elements, starts and ends as many as there are words, the others as there are terms.
// Returns how many of distinct and examples are written.
POINTSMAN_EXPORT int64_t pointsman_split_words(const void* codes, int64_t code_size,
                                               const uint8_t* properties, int64_t length,
                                               int64_t longest, uint64_t spread,
                                               const uint64_t* powers, int64_t* starts,
                                               int64_t* ends, int64_t* terms, int32_t* which,
                                               uint64_t* distinct, int64_t* examples) noexcept {
  const pointsman::Hasher hash{spread, powers};
  if (code_size == 1) {
    return pointsman::split(static_cast<const uint8_t*>(codes), properties, length, longest, hash,
                            starts, ends, terms, which, distinct, examples);
  }
  return pointsman::split(static_cast<const uint32_t*>(codes), properties, length, longest, hash,
                          starts, ends, terms, which, distinct, examples);
}
