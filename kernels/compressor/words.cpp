// Splits a normalised text into words and hashes them; see words.py.
#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "characters.h"
#include "library.h"

namespace pointsman {
namespace {

// The hash of words.py: the sum of spread characters times powers of a secret base. Eight
// characters at a time, those beyond a word times 0: guessing where each word ends would cost more.
template <class Code>
class Hasher {
 public:
  // Codes are readable before `end`.
  Hasher(uint64_t spread, const uint64_t* powers, const Code* end)
      : spread_(spread), powers_(powers), end_(end) {
    for (int length = 0; length <= kChunk; ++length) {
      for (int i = 0; i < kChunk; ++i) first_[length][i] = i < length ? powers[i] : 0;
    }
    if constexpr (sizeof(Code) == 1) {
      for (uint64_t code = 0; code < 256; ++code) octets_[code] = spread_out(code);
    }
  }

  uint64_t operator()(const Code* codes, int64_t length) const {
    uint64_t sum = 0;
    if (end_ - codes >= kChunk) [[likely]] {
      const uint64_t* powers = first_[std::min<int64_t>(length, kChunk)];
      for (int i = 0; i < kChunk; ++i) sum += spread(codes[i]) * powers[i];
      for (int64_t i = kChunk; i < length; ++i) sum += spread(codes[i]) * powers_[i];
    } else {
      for (int64_t i = 0; i < length; ++i) sum += spread(codes[i]) * powers_[i];
    }
    return sum;
  }

 private:
  static constexpr int kChunk = 8;

  uint64_t spread(Code code) const {
    if constexpr (sizeof(Code) == 1) return octets_[code];
    return spread_out(code);
  }
  uint64_t spread_out(uint64_t code) const {
    code = (code + 1) * spread_;
    return code ^ code >> 29;
  }

  uint64_t spread_;
  const uint64_t* powers_;
  const Code* end_;
  uint64_t first_[kChunk + 1][kChunk];
  uint64_t octets_[256];
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

  // Makes room for a text of some words; if they are more varied than most, it will grow.
  bool reserve(int64_t words) noexcept { return grow(std::max(10, bits_for(words) - 3)); }

  // The number of a hash, in the order of arrival; -1 where memory is out. It is the nth of `all`.
  int32_t find_or_add(uint64_t hash, int32_t where, int64_t nth, int64_t all) noexcept {
    Slot* slot = &slots_[hash >> (64 - bits_)];
    if (slot->hash == hash && slot->first >= 0) [[likely]]
      return slot->number;
    slot = probe(hash);
    if (slot->first >= 0) return slot->number;
    if (2 * (count_ + 1) > (int64_t{1} << bits_)) {
      // Where most are new, as many more are to be expected: each growth moves all that is there.
      const bool varied = count_ > nth / 4 * 3;
      if (!grow(varied ? std::max(bits_ + 1, bits_for(all)) : bits_ + 1)) return -1;
      slot = probe(hash);
    }
    *slot = {hash, where, static_cast<int32_t>(count_++)};
    return slot->number;
  }

  // Fetches where a hash may be: the table outgrows the fast caches.
  void prefetch(uint64_t hash) const noexcept { __builtin_prefetch(&slots_[hash >> (64 - bits_)]); }

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
  // Bits of the smallest table that holds so many.
  static int bits_for(int64_t count) noexcept {
    return static_cast<int>(std::bit_width(uint64_t(count))) + 1;
  }

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
    std::fill_n(slots_.get(), after, Slot{0, -1, 0});
    for (int64_t i = 0; i < before; ++i) {
      if (old[i].first >= 0) *probe(old[i].hash) = old[i];
    }
    return true;
  }

  std::unique_ptr<Slot[]> slots_;
  int bits_ = 0;
  int64_t count_ = 0;
};

constexpr int64_t kBlock = 64;

// Which of a block's characters are of words, which are anything but white space, and which are of
// terms, a bit each.
struct Kinds {
  uint64_t word, content, term;
};

Kinds kinds_of(const uint8_t* properties) {
  static_assert(std::endian::native == std::endian::little);
  static_assert(kKind == 3 && kSpace == 0 && kWord == 1 && kTerm == 1);
  constexpr uint64_t kOnes = 0x0101010101010101, kGather = 0x0102040810204080;
  Kinds kinds{0, 0, 0};
  for (int i = 0; i < kBlock; i += 8) {
    uint64_t eight;
    std::memcpy(&eight, properties + i, 8);
    const uint64_t low = eight & kOnes, high = eight >> 1 & kOnes;
    // The product gathers the lowest bits of eight octets in the highest one.
    kinds.word |= ((low & ~high) * kGather >> 56) << i;
    kinds.content |= ((low | high) * kGather >> 56) << i;
    kinds.term |= (low * kGather >> 56) << i;
  }
  return kinds;
}

// Where the words of a block begin and end, a bit each.
struct Edges {
  uint64_t firsts, lasts;
  uint64_t terms;  // those of the lasts that are of terms
};

// The block from `base` on; `open` tells whether a word goes on into it.
Edges edges_of(const uint8_t* properties, int64_t length, int64_t base, bool open) {
  const int64_t next = base + kBlock;
  uint8_t padded[kBlock] = {};  // the text's last block, and white space
  if (next > length) std::memcpy(padded, properties + base, length - base);
  const auto [word, content, term] = kinds_of(next > length ? padded : properties + base);
  const uint64_t goes_on = next < length && (properties[next] & kKind) == kWord;
  const uint64_t alone = content & ~word;
  const uint64_t lasts = alone | (word & ~(word >> 1 | goes_on << 63));
  return {alone | (word & ~(word << 1 | uint64_t{open})), lasts, lasts & term};
}

// Calls found(start, end) for each word.
template <class Found>
void for_each_word(const uint8_t* properties, int64_t length, int64_t longest, Found found) {
  bool open = false;  // whether a word has begun in an earlier block
  int64_t start = 0;
  for (int64_t base = 0; base < length; base += kBlock) {
    auto [firsts, lasts, _] = edges_of(properties, length, base, open);
    for (; lasts != 0; lasts &= lasts - 1) {
      if (!open) {
        start = base + std::countr_zero(firsts);
        firsts &= firsts - 1;
      }
      open = false;
      const int64_t end = base + std::countr_zero(lasts) + 1;
      for (; end - start > longest; start += longest) found(start, start + longest);
      found(start, end);
    }
    if (firsts != 0) {
      start = base + std::countr_zero(firsts);
      open = true;
    }
  }
}

// Counts the words and those of them that are terms; `longest` is at least a block. Only what
// begins in an earlier block may be longer.
void count_by_blocks(const uint8_t* properties, int64_t length, int64_t longest, int64_t* words,
                     int64_t* terms) {
  bool open = false;
  int64_t start = 0;
  for (int64_t base = 0; base < length; base += kBlock) {
    const auto [firsts, lasts, of_terms] = edges_of(properties, length, base, open);
    *words += std::popcount(lasts);
    *terms += std::popcount(of_terms);
    if (open && lasts != 0) {
      const int64_t end = base + std::countr_zero(lasts) + 1, more = (end - start - 1) / longest;
      *words += more;
      *terms += more;
      open = false;
    }
    if (std::bit_width(firsts) > std::bit_width(lasts)) {  // the last word goes on
      start = base + std::bit_width(firsts) - 1;
      open = true;
    }
  }
}

template <class Code>
int64_t split(const Code* codes, const uint8_t* properties, int64_t length, int64_t longest,
              const Hasher<Code>& hash, int64_t* starts, int64_t* ends, int64_t* terms,
              int32_t* which, uint64_t* distinct, int64_t* examples) noexcept {
  int64_t word = 0, term_count = 0;
  for_each_word(properties, length, longest, [&](int64_t start, int64_t end) {
    starts[word] = start;
    ends[word] = end;
    if (properties[start] & kTerm) terms[term_count++] = word;
    ++word;
  });
  // One thing at a time, so that the processor works on several words at once. The hashes stand
  // where those that are distinct will be.
  for (int64_t i = 0; i < term_count; ++i) {
    const int64_t start = starts[terms[i]];
    distinct[i] = hash(codes + start, ends[terms[i]] - start);
  }
  HashTable table;
  bool complete = table.reserve(term_count);
  constexpr int64_t kAhead = 12;
  for (int64_t i = 0; i < term_count && complete; ++i) {
    if (i + kAhead < term_count) table.prefetch(distinct[i + kAhead]);
    which[i] = table.find_or_add(distinct[i], static_cast<int32_t>(terms[i]), i, term_count);
    complete = which[i] >= 0;
  }
  const int64_t count = table.count();
  const auto rank = allocate<int32_t>(count);
  if (!complete || !rank) return kOutOfMemory;
  const HashTable::Slot* slots = table.sort();
  for (int64_t i = 0; i < count; ++i) {
    distinct[i] = slots[i].hash;
    examples[i] = slots[i].first;
    rank[slots[i].number] = static_cast<int32_t>(i);
  }
  for (int64_t i = 0; i < term_count; ++i) which[i] = rank[which[i]];
  return count;
}

}  // namespace
}  // namespace pointsman

// Counts the words of a text of less than 2^31 characters into counts[0], and those of them that
// are terms into counts[1].
POINTSMAN_EXPORT int64_t pointsman_count_words(const uint8_t* properties, int64_t length,
                                               int64_t longest, int64_t* counts) noexcept {
  counts[0] = counts[1] = 0;
  if (longest >= pointsman::kBlock) {
    pointsman::count_by_blocks(properties, length, longest, &counts[0], &counts[1]);
    return 0;
  }
  pointsman::for_each_word(properties, length, longest, [&](int64_t start, int64_t) {
    ++counts[0];
    counts[1] += properties[start] & pointsman::kTerm;
  });
  return 0;
}

// Writes the arrays of words.Words. Code points are of code_size octets, 1 or 4; powers has
// at least `longest` elements, and 8, starts and ends as many as there are words, the others as
// there are terms. Returns how many of distinct and examples are written.
POINTSMAN_EXPORT int64_t pointsman_split_words(const void* codes, int64_t code_size,
                                               const uint8_t* properties, int64_t length,
                                               int64_t longest, uint64_t spread,
                                               const uint64_t* powers, int64_t* starts,
                                               int64_t* ends, int64_t* terms, int32_t* which,
                                               uint64_t* distinct, int64_t* examples) noexcept {
  if (code_size == 1) {
    const auto* octets = static_cast<const uint8_t*>(codes);
    return pointsman::split(octets, properties, length, longest,
                            pointsman::Hasher<uint8_t>(spread, powers, octets + length), starts,
                            ends, terms, which, distinct, examples);
  }
  const auto* points = static_cast<const uint32_t*>(codes);
  return pointsman::split(points, properties, length, longest,
                          pointsman::Hasher<uint32_t>(spread, powers, points + length), starts,
                          ends, terms, which, distinct, examples);
}

// Writes for each of some hashes the index of the first of `known` that is not less; both ascend.
POINTSMAN_EXPORT int64_t pointsman_find_hashes(const uint64_t* known, int64_t known_count,
                                               const uint64_t* hashes, int64_t count,
                                               int64_t* found) noexcept {
  const uint64_t *at = known, *end = known + known_count;
  const bool few = count < known_count / 32;  // to pass all known ones would take longer
  for (int64_t i = 0; i < count; ++i) {
    if (few) {
      at = std::lower_bound(at, end, hashes[i]);
    } else {
      while (at != end && *at < hashes[i]) ++at;
    }
    found[i] = at - known;
  }
  return 0;
}

// Writes the tokens of each of `words` words: of a term those of its distinct word, otherwise 1.
POINTSMAN_EXPORT int64_t pointsman_spread_counts(const int64_t* terms, const int32_t* which,
                                                 int64_t term_count, const int32_t* tokens,
                                                 int64_t words, int32_t* result) noexcept {
  std::fill_n(result, words, 1);
  for (int64_t i = 0; i < term_count; ++i) result[terms[i]] = tokens[which[i]];
  return 0;
}
