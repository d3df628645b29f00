// Looks up what words weigh in models of risk, and finds the worst window of each sentence; see
// risk.py and risk_signal.py.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <type_traits>

#include "library.h"

// Which of the two is taken is settled when the library is loaded, by what the processor has. The
// sanitized build has the plain one alone, so that tests see both.
#if defined(__x86_64__) && defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && \
    __has_attribute(target_clones)
#define POINTSMAN_ALSO_FOR_AVX2 __attribute__((target_clones("avx2", "default")))
#else
#define POINTSMAN_ALSO_FOR_AVX2
#endif

namespace pointsman {
namespace {

constexpr uint32_t kFirst = 0x9E3779B1, kSecond = 0x85EBCA6B, kThird = 0xC2B2AE35;
constexpr uint32_t kWord = 0x1B873593, kShape = 0x2545F491, kPair = 0x68E31DA4;
constexpr uint32_t kBegin = 2, kEnd = 3;
constexpr std::array<int64_t, 9> kLengths = {1, 2, 3, 5, 8, 12, 16, 24, 40};
constexpr uint32_t kAscii = 128;
constexpr int64_t kAhead = 8;   // words that are fetched ahead: they come in no order
constexpr int64_t kBlock = 64;  // words whose n-grams are looked up at a time

constexpr std::array<uint32_t, 256> crc_table() {
  std::array<uint32_t, 256> table{};
  for (uint32_t octet = 0; octet < 256; ++octet) {
    uint32_t rest = octet;
    for (int bit = 0; bit < 8; ++bit) rest = (rest >> 1) ^ ((rest & 1) ? 0xEDB88320 : 0);
    table[octet] = rest;
  }
  return table;
}

// The CRC-32 of zlib.
class Crc {
 public:
  void add(uint32_t octet) {
    static constexpr std::array<uint32_t, 256> kTable = crc_table();
    state_ = kTable[(state_ ^ octet) & 0xFF] ^ (state_ >> 8);
  }
  // A code point in UTF-8, also a lone surrogate.
  void add_code(uint32_t code) {
    if (code < 0x80) return add(code);
    if (code < 0x800) {
      add(0xC0 | code >> 6);
    } else {
      if (code < 0x10000) {
        add(0xE0 | code >> 12);
      } else {
        add(0xF0 | code >> 18);
        add(0x80 | (code >> 12 & 0x3F));
      }
      add(0x80 | (code >> 6 & 0x3F));
    }
    add(0x80 | (code & 0x3F));
  }
  uint32_t value() const { return ~state_; }

 private:
  uint32_t state_ = 0xFFFFFFFF;
};

uint32_t mix(uint32_t hash) {
  hash ^= hash >> 16;
  hash *= kSecond;
  hash ^= hash >> 13;
  hash *= kThird;
  return hash ^ hash >> 16;
}

// Calls work with the number of models, 1 to 4, as a constant.
template <class Work>
int64_t for_models(int64_t models, Work work) {
  switch (models) {
    case 1:
      return work(std::integral_constant<int, 1>());
    case 2:
      return work(std::integral_constant<int, 2>());
    case 3:
      return work(std::integral_constant<int, 3>());
    default:
      return work(std::integral_constant<int, 4>());
  }
}

// The weights of all models, side by side.
template <int kModels>
struct Table {
  const int8_t* weights;  // [2^bits, kModels]
  int64_t bits;
  const double* units;
  const int8_t* operator[](uint32_t hash) const {
    return weights + static_cast<int64_t>(hash >> (32 - bits)) * kModels;
  }
};

// Hashes some character n-grams in a row.
template <int kLength>
[[gnu::always_inline]] inline void hash_grams(const uint32_t* codes, int64_t count,
                                              uint32_t* hashes) {
  for (int64_t i = 0; i < count; ++i) {
    uint32_t hash = kLength;
    for (int nth = 0; nth < kLength; ++nth) {
      hash = (hash ^ codes[i + nth]) * kFirst;
      hash ^= hash >> 15;
    }
    hashes[i] = mix(hash);
  }
}

// Hashes the 3-grams and the 4-grams that begin with each of some characters. Compiled twice where
// that is possible: products of 32 bits side by side are slow before AVX2.
POINTSMAN_ALSO_FOR_AVX2 void hash_all_grams(const uint32_t* codes, int64_t count, uint32_t* threes,
                                            uint32_t* fours) {
  hash_grams<3>(codes, count, threes);
  hash_grams<4>(codes, count, fours);
}

// What words weigh, in some models. Many words are taken together: the n-grams of all of them are
// hashed side by side, those across two words in vain, and what they weigh, which lies in no order,
// is fetched before it is added up.
template <int kModels>
class Weights {
 public:
  Weights(const Table<kModels>& table, uint32_t* keys, float* weights, int64_t count)
      : table_(table), keys_(keys), weights_(weights), count_(count) {}

  // Makes room for words of up to so many characters. False if memory is out.
  bool reserve(int64_t longest) noexcept {
    room_ = std::max<int64_t>(kRoom, longest + 2);
    codes_ = allocate<uint32_t>(room_ + 3);
    threes_ = allocate<uint32_t>(room_);
    fours_ = allocate<uint32_t>(room_);
    if (!codes_ || !threes_ || !fours_) return false;
    std::fill_n(codes_.get(), room_ + 3, 0);
    return true;
  }

  // Takes the next word, of at least one character.
  template <class Code>
  void add(const Code* word, int64_t size) {
    if (framed_ + size + 2 > room_ || held_ == kWords) add_up();
    // The word stands between marks of its beginning and its end.
    uint32_t* codes = &codes_[framed_];
    *codes++ = kBegin;
    Crc crc;
    uint32_t other = 0, digit = 0, letter = 0;
    for (int64_t i = 0; i < size; ++i) {
      const uint32_t code = codes[i] = word[i];
      crc.add_code(code);
      other |= code > 127;
      digit |= code - '0' < 10;
      letter |= code - 'a' < 26;
    }
    codes[size] = kEnd;
    const uint32_t key = mix(crc.value());
    const auto length = std::lower_bound(kLengths.begin(), kLengths.end(), size) - kLengths.begin();
    const uint32_t shape = static_cast<uint32_t>(length) << 3 | other << 2 | digit << 1 | letter;
    keys_[word_ + held_] = key;
    words_[held_++] = {mix(key ^ kWord), mix(shape ^ kShape), framed_, size};
    framed_ += size + 2;
  }

  // Writes what is not written yet.
  void add_up() {
    hash_all_grams(codes_.get(), framed_, threes_.get(), fours_.get());
    for (int64_t i = 0; i < framed_; ++i) {
      __builtin_prefetch(table_[threes_[i]]);
      __builtin_prefetch(table_[fours_[i]]);
    }
    for (int64_t nth = 0; nth < held_; ++nth, ++word_) {
      const Word& word = words_[nth];
      std::array<double, kModels> sums{};
      const auto add = [&](uint32_t hash, float value) {
        const int8_t* own = table_[hash];
        for (int model = 0; model < kModels; ++model) sums[model] += own[model] * value;
      };
      add(word.itself, 1);
      add(word.shape, 1);
      const double grams = static_cast<double>(2 * word.size - 1);
      const auto share = static_cast<float>(1 / std::sqrt(grams));
      for (int64_t i = 0; i < word.size; ++i) add(threes_[word.place + i], share);
      for (int64_t i = 0; i < word.size - 1; ++i) add(fours_[word.place + i], share);
      for (int model = 0; model < kModels; ++model) {
        weights_[model * count_ + word_] =
            static_cast<float>(std::nearbyint(sums[model]) * table_.units[model]);
      }
    }
    held_ = framed_ = 0;
  }

 private:
  struct Word {
    uint32_t itself, shape;  // hashes
    int64_t place, size;
  };

  static constexpr int64_t kRoom = 512, kWords = 64;
  const Table<kModels>& table_;
  uint32_t* keys_;
  float* weights_;
  int64_t count_, word_ = 0, held_ = 0, framed_ = 0, room_ = 0;
  std::unique_ptr<uint32_t[]> codes_, threes_, fours_;
  std::array<Word, kWords> words_;
};

template <int kModels, class Code>
bool weigh(const Code* codes, const int64_t* starts, const int64_t* ends, const int64_t* words,
           int64_t count, const Table<kModels>& table, uint32_t* keys, float* weights) {
  Weights<kModels> sums(table, keys, weights, count);
  int64_t longest = 0;
  for (int64_t nth = 0; nth < count; ++nth) {
    longest = std::max(longest, ends[words[nth]] - starts[words[nth]]);
  }
  if (!sums.reserve(longest)) return false;
  for (int64_t nth = 0; nth < count; ++nth) {
    if (nth + kAhead < count) __builtin_prefetch(codes + starts[words[nth + kAhead]]);
    sums.add(codes + starts[words[nth]], ends[words[nth]] - starts[words[nth]]);
  }
  sums.add_up();
  return true;
}

template <class Code>
int64_t rows_of(const int64_t* terms, const int32_t* which, int64_t term_count,
                const int64_t* starts, int64_t words, const Code* codes, int64_t distinct,
                const uint32_t* others, int64_t other_count, int32_t* rows) {
  int64_t term = 0, unknown = 0;
  for (int64_t word = 0; word < words; ++word) {
    if (term < term_count && terms[term] == word) {
      rows[word] = which[term++];
      continue;
    }
    const uint32_t code = codes[starts[word]];
    int64_t row = code;
    if (code >= kAscii) {
      const uint32_t* found = std::lower_bound(others, others + other_count, code);
      if (found == others + other_count || *found != code) {
        ++unknown;
        found = others;
      }
      row = kAscii + (found - others);
    }
    rows[word] = static_cast<int32_t>(distinct + row);
  }
  return unknown;
}

// Running sums of what the words of a text add, one for each model.
struct Contributions {
  const int32_t* rows;
  int64_t words;
  const uint32_t* keys;
  const float* weights;  // [models, row_count]
  int64_t row_count;

  // Writes the sums before each word and after the last, [models, words + 1].
  template <int kModels>
  void sum(const Table<kModels>& table, double* sums) const {
    std::array<float, kModels> units{};
    std::array<double, kModels> running{};
    for (int nth = 0; nth < kModels; ++nth) {
      units[nth] = static_cast<float>(table.units[nth]);
      sums[nth * (words + 1)] = 0;
    }
    // A block's places in the table first: they come in no order, and are fetched together.
    std::array<const int8_t*, kBlock> pairs, triples;
    uint32_t before = 0, two_before = 0;
    for (int64_t first = 0; first < words; first += kBlock) {
      const int64_t count = std::min(kBlock, words - first);
      for (int64_t i = 0; i < count; ++i) {
        const uint32_t key = keys[rows[first + i]], rotated = before * kFirst;
        pairs[i] = table[((rotated ^ key) + kPair) * kSecond];
        triples[i] = table[((two_before * kSecond + rotated) ^ key) * kThird];
        __builtin_prefetch(pairs[i]);
        __builtin_prefetch(triples[i]);
        two_before = before;
        before = key;
      }
      for (int64_t i = 0; i < count; ++i) {
        const int64_t word = first + i;
        for (int nth = 0; nth < kModels; ++nth) {
          const float grams = static_cast<float>(pairs[i][nth] + triples[i][nth]) * units[nth];
          running[nth] += grams + weights[nth * row_count + rows[word]];
          sums[nth * (words + 1) + word + 1] = running[nth];
        }
      }
    }
  }
};

// The highest of some numbers, of none minus infinity; in strands, lest each wait for the last.
template <class Number>
double highest_of(int64_t count, Number number) {
  constexpr int kStrands = 4;
  std::array<double, kStrands> highest;
  highest.fill(-std::numeric_limits<double>::infinity());
  int64_t i = 0;
  for (; i + kStrands <= count; i += kStrands) {
    for (int nth = 0; nth < kStrands; ++nth) {
      highest[nth] = std::max(highest[nth], number(i + nth));
    }
  }
  for (; i < count; ++i) highest[0] = std::max(highest[0], number(i));
  return std::max(std::max(highest[0], highest[1]), std::max(highest[2], highest[3]));
}

// The worst window, of some sizes, of the words [start, end), none of which begins before them.
double worst_window(const double* sums, int64_t start, int64_t end, const int64_t* sizes,
                    int64_t size_count) {
  // Those that the start cuts off: the longest size has all of them.
  const int64_t longest = std::min(*std::max_element(sizes, sizes + size_count), end - start);
  const double before = sums[start];
  double highest = highest_of(longest, [&](int64_t i) { return sums[start + 1 + i] - before; });
  const double* first = sums + start + 1;
  for (int64_t nth = 0; nth < size_count; ++nth) {
    if (sizes[nth] >= end - start) continue;
    const double* last = first + sizes[nth];
    highest = std::max(highest, highest_of(end - start - sizes[nth],
                                           [&](int64_t i) { return last[i] - first[i]; }));
  }
  return highest;
}

}  // namespace
}  // namespace pointsman

// Writes keys [count] and weights [models, count] of some words of a text, given by their indices,
// none of them empty. Code points are of code_size octets, 1 or 4. The table [2^bits, models] has
// the weights of up to 4 models.
POINTSMAN_EXPORT int64_t pointsman_weigh_words(const void* codes, int64_t code_size,
                                               const int64_t* starts, const int64_t* ends,
                                               const int64_t* words, int64_t count,
                                               const int8_t* weights, int64_t bits, int64_t models,
                                               const double* units, uint32_t* keys,
                                               float* word_weights) noexcept {
  return pointsman::for_models(models, [&](auto constant) {
    const pointsman::Table<constant> table{weights, bits, units};
    const bool done = code_size == 1
                          ? pointsman::weigh(static_cast<const uint8_t*>(codes), starts, ends,
                                             words, count, table, keys, word_weights)
                          : pointsman::weigh(static_cast<const uint32_t*>(codes), starts, ends,
                                             words, count, table, keys, word_weights);
    return done ? int64_t{0} : pointsman::kOutOfMemory;
  });
}

// Writes for each word its row in the columns of weights, as risk_signal.py lays them out: distinct
// terms, ASCII characters, other marks. Those are given by their code points, ascending. Returns
// how many marks are not among them; their row is that of the first.
POINTSMAN_EXPORT int64_t pointsman_word_rows(const int64_t* terms, const int32_t* which,
                                             int64_t term_count, const int64_t* starts,
                                             int64_t words, const void* codes, int64_t code_size,
                                             int64_t distinct, const uint32_t* others,
                                             int64_t other_count, int32_t* rows) noexcept {
  if (code_size == 1) {
    return pointsman::rows_of(terms, which, term_count, starts, words,
                              static_cast<const uint8_t*>(codes), distinct, others, other_count,
                              rows);
  }
  return pointsman::rows_of(terms, which, term_count, starts, words,
                            static_cast<const uint32_t*>(codes), distinct, others, other_count,
                            rows);
}

// Writes the sum of the worst window of words of each sentence, [models, sentences].
//
// Words are given by their rows in keys [row_count] and weights [models, row_count]; sentences by
// their first and end words, as prepare.Sentences has them. Where sentences share words, what is
// between all their edges is judged, and the worst counts. The sizes of the windows stand model
// after model, each model's before its size_ends.
POINTSMAN_EXPORT int64_t pointsman_worst_windows(const int32_t* rows, int64_t words,
                                                 const uint32_t* keys, const float* word_weights,
                                                 int64_t row_count, const int8_t* weights,
                                                 int64_t bits, int64_t models, const double* units,
                                                 const int64_t* sizes, const int64_t* size_ends,
                                                 const int64_t* first, const int64_t* end,
                                                 int64_t sentences, double* worst) noexcept {
  using namespace pointsman;
  const auto sums = allocate<double>(models * (words + 1));
  if (!sums) return kOutOfMemory;
  const Contributions contributions{rows, words, keys, word_weights, row_count};
  for_models(models, [&](auto constant) {
    contributions.sum(Table<constant>{weights, bits, units}, sums.get());
    return int64_t{0};
  });
  for (int64_t nth = 0; nth < models; ++nth) {
    const double* own = &sums[nth * (words + 1)];
    const int64_t* own_sizes = sizes + (nth ? size_ends[nth - 1] : 0);
    const auto size_count = sizes + size_ends[nth] - own_sizes;
    double shared = 0;  // the worst of what a sentence has in common with the one before
    for (int64_t sentence = 0; sentence < sentences; ++sentence) {
      const auto judge = [&](int64_t from, int64_t to) {
        return worst_window(own, from, to, own_sizes, size_count);
      };
      double highest = -std::numeric_limits<double>::infinity();
      int64_t from = first[sentence], to = end[sentence];
      if (sentence && end[sentence - 1] > from) {
        from = end[sentence - 1];
        highest = shared;
      }
      if (sentence + 1 < sentences && first[sentence + 1] < to) {
        to = first[sentence + 1];
        shared = judge(to, end[sentence]);
        highest = std::max(highest, shared);
      }
      worst[nth * sentences + sentence] = std::max(highest, judge(from, to));
    }
  }
  return 0;
}
