// Finds where sentences begin, cuts long ones into windows, and counts their terms; see prepare.py.
#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <numeric>

#include "characters.h"
#include "library.h"

namespace pointsman {
namespace {

constexpr int kLongestEnding = 8;
constexpr int64_t kWrappedLine = 40;

// The first character from `at` on that may end a sentence, or length.
int64_t next_mark(const uint8_t* properties, int64_t at, int64_t length) {
  static_assert(std::endian::native == std::endian::little);
  constexpr uint64_t kMarks = uint64_t{0x0101010101010101} * (kNewline | kStop | kFullStop);
  for (; at + 8 <= length; at += 8) {
    uint64_t eight;
    std::memcpy(&eight, properties + at, 8);
    eight &= kMarks;
    if (eight != 0) return at + std::countr_zero(eight) / 8;
  }
  while (at < length && properties[at] < kNewline) ++at;
  return at;
}

template <class Code>
struct Text {
  const Code* codes;
  const uint8_t* properties;
  int64_t length;
  const int64_t* starts;
  const int64_t* ends;
  int64_t words;

  // A space follows the text.
  uint8_t at(int64_t i) const { return i < length ? properties[i] : kSpace; }
};

// The words whose full stop ends no sentence.
class Abbreviations {
 public:
  Abbreviations(const int64_t* terms, const int32_t* which, int64_t term_count)
      : terms_(terms), which_(which), term_count_(term_count) {}

  // Finds those of some hashes that are among the distinct ones of the text. False if memory is
  // out.
  bool find(const uint64_t* hashes, int64_t count, const uint64_t* distinct,
            int64_t distinct_count) noexcept {
    numbers_ = allocate<int32_t>(count);
    if (!numbers_) return false;
    for (int64_t i = 0; i < count; ++i) {
      const uint64_t* found = std::lower_bound(distinct, distinct + distinct_count, hashes[i]);
      if (found == distinct + distinct_count || *found != hashes[i]) continue;
      const auto number = static_cast<int32_t>(found - distinct);
      numbers_[count_++] = number;
      maybe_[number % maybe_.size()] = true;
    }
    return true;
  }

  // Words are asked for in ascending order.
  bool contain(int64_t word) {
    if (count_ == 0) return false;
    while (term_ < term_count_ && terms_[term_] < word) ++term_;
    if (term_ == term_count_ || terms_[term_] != word) return false;
    const int32_t number = which_[term_];
    return maybe_[number % maybe_.size()] &&
           std::binary_search(numbers_.get(), numbers_.get() + count_, number);
  }

 private:
  const int64_t* terms_;
  const int32_t* which_;
  int64_t term_count_, term_ = 0, count_ = 0;
  std::unique_ptr<int32_t[]> numbers_;  // of their hashes, ascending
  std::array<bool, 1024> maybe_{};      // whether one has such a number
};

// Whether a line that ended between two words is one of a wrapped paragraph.
template <class Code>
bool is_wrapped(const Text<Code>& text, int64_t line, int64_t following) {
  if (line <= kWrappedLine || following == 0 || following == text.words) return false;
  const int64_t before = text.ends[following - 1] - 1;
  return (text.properties[text.starts[following]] & kLower) != 0 &&
         ((text.properties[before] & kKind) == kWord || text.codes[before] == ',');
}

// Whether a full stop ends a sentence; `newline` is where the last line before it ended, or -1.
template <class Code>
bool period_ends(const Text<Code>& text, int64_t period, int64_t newline,
                 Abbreviations* abbreviations) {
  if (period == 0) return true;
  const int64_t word = period - 1, start = text.starts[word], end = text.ends[word];
  if (end != text.starts[period] || (text.properties[start] & kKind) != kWord) return true;
  if ((text.properties[start] & kDigit) != 0) {  // of a number that begins a line: it counts
    const int64_t previous_end = word > 0 ? text.ends[word - 1] : 0;
    if (previous_end <= std::max<int64_t>(newline, 0)) return false;
  } else if (end - start == 1) {  // of an initial
    return false;
  }
  return !abbreviations->contain(word);
}

template <class Code>
void find_sentences(const Text<Code>& text, Abbreviations& abbreviations, uint8_t* begins) {
  constexpr uint8_t kEnding = kStop | kFullStop | kCloser;
  int64_t newline = -1, after_newline = -1, following = 0;
  for (int64_t mark = 0;; ++mark) {
    mark = next_mark(text.properties, mark, text.length);
    if (mark == text.length) return;
    while (following < text.words && text.starts[following] < mark) ++following;
    const uint8_t property = text.properties[mark];
    if (property == kNewline) {
      // The second of two newlines between the same words: a blank line.
      const bool blank = following == after_newline;
      if (blank || !is_wrapped(text, mark - newline, following)) begins[following] = 1;
      newline = mark;
      after_newline = following;
      continue;
    }
    if (text.at(mark + 1) >= kStop) continue;  // of marks in a row the last one counts
    int64_t length = 1;
    while (length <= kLongestEnding && (text.at(mark + length) & kEnding)) ++length;
    const uint8_t after = text.at(mark + length);
    if (after & kEnding) continue;
    if (!(property & kFullStop) && (after & kKind) != kSpace) continue;
    if (following == text.words || following + length > text.words) continue;
    if (text.codes[mark] == '.' && !period_ends(text, following, newline, &abbreviations)) continue;
    begins[following + length] = 1;
  }
}

// Takes windows in order, keeps those that hold words of their own.
class Windows {
 public:
  Windows(int64_t* first, int64_t* end) : first_(first), end_(end) {}

  void add(int64_t first, int64_t end) {
    take(first);
    next_first_ = first;
    next_end_ = end;
  }

  int64_t finish(int64_t words) {
    take(words);
    return count_;
  }

 private:
  // Empty ones and those that lie within the next are left out, then those within the last.
  void take(int64_t following) {
    if (next_end_ <= next_first_ || following <= next_first_) return;
    if (next_end_ > last_end_) {
      first_[count_] = next_first_;
      end_[count_++] = next_end_;
    }
    last_end_ = next_end_;
  }

  int64_t* first_;
  int64_t* end_;
  int64_t count_ = 0, next_first_ = 0, next_end_ = 0, last_end_ = 0;
};

int64_t ceil_divide(int64_t number, int64_t by) {  // by > 0
  return number > 0 ? (number - 1) / by + 1 : -(-number / by);
}

// Cuts one sentence of `tokens` tokens, words [start, end), into windows.
void cut(const int32_t* counts, int64_t start, int64_t end, int64_t tokens, int64_t longest,
         int64_t most_shared, Windows* windows) {
  const int64_t widest = *std::max_element(counts + start, counts + end);
  const int64_t width = std::max<int64_t>(longest + 1 - widest, 1);
  const int64_t overlap = width > 2 * most_shared ? most_shared : 0;
  const int64_t pieces =
      tokens > longest ? ceil_divide(tokens - overlap, width - overlap) : int64_t{1};
  const int64_t stride = ceil_divide(tokens - overlap, pieces);
  // The first words that begin at or after a token: where the window opens, and where it closes.
  int64_t opening = start, opened = 0, closing = start, closed = 0;
  for (int64_t nth = 0; nth < pieces; ++nth) {
    const int64_t opens = std::min(nth * stride, tokens);
    const int64_t closes = std::min(nth * stride + stride + overlap, tokens);
    for (; opening < end && opened < opens; ++opening) opened += counts[opening];
    for (; closing < end && closed < closes; ++closing) closed += counts[closing];
    windows->add(opening, closing);
  }
}

// Writes some terms in ascending order, each once, and how often it is there. Returns how many are
// written.
int32_t count_sorted(int32_t* terms, int64_t count, double* times) {
  int32_t distinct = 0;
  for (int64_t at = 0, next; at < count; at = next) {
    for (next = at + 1; next < count && terms[next] == terms[at];) ++next;
    times[distinct] = static_cast<double>(next - at);
    terms[distinct++] = terms[at];
  }
  return distinct;
}

// The same of up to kMost terms in any order: the place of each is how many are less, counted for
// all of them alike, without a branch that could be guessed wrong.
template <int kMost>
int32_t count_few(const int32_t* terms, int64_t count, int32_t* columns, double* times) {
  std::array<int32_t, kMost> padded, sorted;
  std::array<uint8_t, kMost> found{};
  padded.fill(std::numeric_limits<int32_t>::max());
  std::copy(terms, terms + count, padded.begin());
  for (int64_t i = 0; i < count; ++i) {
    int32_t less = 0;
    for (int other = 0; other < kMost; ++other) less += padded[other] < terms[i];
    sorted[less] = terms[i];
    ++found[less];
  }
  int32_t distinct = 0;
  for (int64_t i = 0; i < count; ++i) {
    if (found[i] == 0) continue;
    columns[distinct] = sorted[i];
    times[distinct++] = found[i];
  }
  return distinct;
}

int32_t count_terms(const int32_t* terms, int64_t count, int32_t* columns, double* times) {
  if (count == 1) {
    *columns = *terms;
    *times = 1;
    return 1;
  }
  if (count <= 16) return count_few<16>(terms, count, columns, times);
  if (count <= 32) return count_few<32>(terms, count, columns, times);
  std::copy(terms, terms + count, columns);
  std::sort(columns, columns + count);
  return count_sorted(columns, count, times);
}

}  // namespace
}  // namespace pointsman

// Sets begins[i], of one more than there are words, where a sentence begins at word i. Code points
// are of code_size octets, 1 or 4.
POINTSMAN_EXPORT int64_t pointsman_find_sentences(
    const void* codes, int64_t code_size, const uint8_t* properties, int64_t length,
    const int64_t* starts, const int64_t* ends, int64_t words, const int64_t* terms,
    const int32_t* which, int64_t term_count, const uint64_t* distinct, int64_t distinct_count,
    const uint64_t* abbreviations, int64_t abbreviation_count, uint8_t* begins) noexcept {
  using pointsman::Text;
  pointsman::Abbreviations known(terms, which, term_count);
  if (!known.find(abbreviations, abbreviation_count, distinct, distinct_count)) {
    return pointsman::kOutOfMemory;
  }
  if (code_size == 1) {
    const auto* octets = static_cast<const uint8_t*>(codes);
    pointsman::find_sentences(Text<uint8_t>{octets, properties, length, starts, ends, words}, known,
                              begins);
  } else {
    const auto* points = static_cast<const uint32_t*>(codes);
    pointsman::find_sentences(Text<uint32_t>{points, properties, length, starts, ends, words},
                              known, begins);
  }
  return 0;
}

// Writes the first words of the sentences that begin at some of the words, at the first one and
// others, and how many tokens they have.
POINTSMAN_EXPORT int64_t pointsman_measure_sentences(const int32_t* counts, int64_t words,
                                                     const uint8_t* begins, int64_t* starts,
                                                     int64_t* tokens) noexcept {
  int64_t sentence = -1, sum = 0;
  for (int64_t word = 0; word < words; ++word) {
    if (begins[word]) {
      if (sentence >= 0) tokens[sentence] = sum;
      starts[++sentence] = word;
      sum = 0;
    }
    sum += counts[word];
  }
  if (sentence >= 0) tokens[sentence] = sum;
  return 0;
}

// Writes how many tokens each of some windows has, and how many of them are in the next, too. Their
// first and their end words ascend, and none shares words with more than two others.
POINTSMAN_EXPORT int64_t pointsman_measure_windows(const int32_t* counts,
                                                   const int64_t* first_words,
                                                   const int64_t* end_words, int64_t windows,
                                                   int64_t* tokens, int64_t* shared) noexcept {
  const auto sum = [counts](int64_t first, int64_t end) {
    return std::accumulate(counts + first, counts + std::max(first, end), int64_t{0});
  };
  for (int64_t i = 0; i < windows; ++i) {
    tokens[i] = sum(first_words[i], end_words[i]);
    shared[i] = i + 1 < windows ? sum(first_words[i + 1], end_words[i]) : 0;
  }
  return 0;
}

// Cuts sentences of over `longest` tokens into windows that share most_shared tokens. Takes the
// tokens of every word and the first word of each sentence; writes first and end word of all
// sentences, of as many elements as there are words. Returns how many.
POINTSMAN_EXPORT int64_t pointsman_cut_into_windows(const int32_t* counts, int64_t words,
                                                    const int64_t* starts, const int64_t* tokens,
                                                    int64_t sentences, int64_t longest,
                                                    int64_t most_shared, int64_t* first_words,
                                                    int64_t* end_words) noexcept {
  pointsman::Windows windows(first_words, end_words);
  for (int64_t i = 0; i < sentences; ++i) {
    const int64_t end = i + 1 < sentences ? starts[i + 1] : words;
    pointsman::cut(counts, starts[i], end, tokens[i], longest, most_shared, &windows);
  }
  return windows.finish(words);
}

// Writes the distinct terms of each sentence in ascending order, and how often each is there, as
// the arrays of a matrix in CSR format. Sentences ascend by their first and by their end words;
// columns and times have room for every term of every sentence. Returns the number of entries.
POINTSMAN_EXPORT int64_t pointsman_count_terms(const int64_t* terms, const int32_t* which,
                                               int64_t term_count, const int64_t* first_words,
                                               const int64_t* end_words, int64_t sentences,
                                               int32_t* row_starts, int32_t* columns,
                                               double* times) noexcept {
  int32_t entries = row_starts[0] = 0;
  for (int64_t row = 0, first = 0, last = 0; row < sentences; ++row) {
    while (first < term_count && terms[first] < first_words[row]) ++first;
    last = std::max(first, last);
    while (last < term_count && terms[last] < end_words[row]) ++last;
    const int64_t count = last - first;
    entries += pointsman::count_terms(which + first, count, columns + entries, times + entries);
    row_starts[row + 1] = entries;
  }
  return entries;
}
