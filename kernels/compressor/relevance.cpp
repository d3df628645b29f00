// Sums of a sentence-term matrix, and the ranks of its sentences; see relevance.py. Additions are
// in the order of SciPy's products and NumPy's sums, and so are rounded alike.
#include <algorithm>
#include <cmath>

#include "library.h"

namespace pointsman {
namespace {

// Some rows of a matrix of whole numbers, and what each is to be multiplied by.
struct Matrix {
  const int32_t* starts;  // of each row in columns and values
  const int32_t* ends;
  const int32_t* columns;
  const double* values;
  int64_t rows, column_count;
  const double* scale;

  // The product of a row and a vector.
  double times(int64_t row, const double* vector) const {
    double sum = 0;
    for (int32_t at = starts[row]; at < ends[row]; ++at) sum += values[at] * vector[columns[at]];
    return sum;
  }

  // Adds a row, times a factor, to a vector.
  void add_to(double* vector, int64_t row, double factor) const {
    for (int32_t at = starts[row]; at < ends[row]; ++at) {
      vector[columns[at]] += values[at] * factor;
    }
  }
};

// NumPy's sum of value(i) over [first, first + count): of halves, down to blocks that are added in
// eight strands.
template <class Value>
double sum_of(int64_t first, int64_t count, const Value& value) {
  constexpr int64_t kStrands = 8, kBlock = 128;
  if (count > kBlock) {
    const int64_t half = count / 2 - count / 2 % kStrands;
    return sum_of(first, half, value) + sum_of(first + half, count - half, value);
  }
  double sum = 0;
  int64_t i = 0;
  if (count >= kStrands) {
    double strands[kStrands];
    for (; i < kStrands; ++i) strands[i] = value(first + i);
    for (; i + kStrands <= count; i += kStrands) {
      for (int64_t nth = 0; nth < kStrands; ++nth) strands[nth] += value(first + i + nth);
    }
    sum = ((strands[0] + strands[1]) + (strands[2] + strands[3])) +
          ((strands[4] + strands[5]) + (strands[6] + strands[7]));
  }
  for (; i < count; ++i) sum += value(first + i);
  return sum;
}

// The scaled matrix times (its transpose times a vector).
void similarities(const Matrix& matrix, const double* vector, double* sums, double* product) {
  std::fill(sums, sums + matrix.column_count, 0.0);
  for (int64_t row = 0; row < matrix.rows; ++row) {
    matrix.add_to(sums, row, matrix.scale[row] * vector[row]);
  }
  for (int64_t row = 0; row < matrix.rows; ++row) {
    product[row] = matrix.scale[row] * matrix.times(row, sums);
  }
}

struct Steps {
  double damping, least_energy;
  int64_t most;
};

// The rows of a matrix that have columns in common, and these columns, for textrank. The columns
// are numbered as they come: then what neighbouring rows share lies close together, which counts
// where sums over columns outgrow the fast caches.
class Linked {
 public:
  // Takes in how many rows each column has an entry, what of each row's squared length is in shared
  // columns, and how many rows and entries these make up. False if memory is out.
  bool build(const Matrix& matrix, const int32_t* frequencies, const double* own, int64_t rows,
             int64_t entries) noexcept {
    rows_ = allocate<int64_t>(rows);
    scale_ = allocate<double>(rows);
    row_ends_ = allocate<int32_t>(rows + 1);
    columns_ = allocate<int32_t>(entries);
    values_ = allocate<double>(entries);
    const auto numbers = allocate<int32_t>(entries > 0 ? matrix.column_count : 0);
    if (!rows_ || !scale_ || !row_ends_ || !columns_ || !values_ || !numbers) return false;
    std::fill_n(numbers.get(), entries > 0 ? matrix.column_count : 0, -1);
    int32_t met = 0, end = row_ends_[0] = 0;
    int64_t nth = 0;
    for (int64_t row = 0; nth < rows; ++row) {
      if (own[row] == 0) continue;
      for (int32_t at = matrix.starts[row]; at < matrix.ends[row]; ++at) {
        const int32_t column = matrix.columns[at];
        if (frequencies[column] < 2) continue;
        if (numbers[column] < 0) numbers[column] = met++;
        columns_[end] = numbers[column];
        values_[end++] = matrix.values[at];
      }
      rows_[nth] = row;
      scale_[nth] = matrix.scale[row];
      row_ends_[++nth] = end;
    }
    matrix_ = {row_ends_.get(), row_ends_.get() + 1, columns_.get(), values_.get(), rows, met,
               scale_.get()};
    return true;
  }

  const Matrix& matrix() const noexcept { return matrix_; }
  const int64_t* rows() const noexcept { return rows_.get(); }

 private:
  std::unique_ptr<int64_t[]> rows_;
  std::unique_ptr<int32_t[]> row_ends_, columns_;
  std::unique_ptr<double[]> scale_, values_;
  Matrix matrix_{};
};

// The ranks that relevance.textrank computes, step by step as it does; of each of all rows the
// linked columns have `own` of the squared length. False if memory is out.
bool textrank(const Linked& linked, const double* all_own, int64_t all, const Steps& steps,
              double* ranks) {
  const Matrix& matrix = linked.matrix();
  const int64_t rows = matrix.rows;
  const double jump = (1 - steps.damping) / static_cast<double>(all);
  std::fill(ranks, ranks + all, jump);
  constexpr int64_t kVectors = 8;
  const auto memory = allocate<double>(kVectors * rows + matrix.column_count);
  if (!memory) return false;
  double *own = memory.get(), *degree = own + rows, *diagonal = degree + rows,
         *residual = diagonal + rows, *direction = residual + rows, *image = direction + rows,
         *step = image + rows, *share = step + rows, *sums = share + rows;
  const auto each = [rows](auto&& at) {
    for (int64_t row = 0; row < rows; ++row) at(row);
  };
  const auto sum = [rows](const auto& value) { return sum_of(0, rows, value); };
  const auto dot = [&](const double* one, const double* other) {
    return sum([=](int64_t i) { return one[i] * other[i]; });
  };

  each([&](int64_t i) {
    own[i] = all_own[linked.rows()[i]];
    share[i] = 1;
  });
  similarities(matrix, share, sums, degree);
  each([&](int64_t i) {
    degree[i] -= own[i];
    if (!(degree[i] > 1e-9)) degree[i] = 1;
    diagonal[i] = degree[i] + steps.damping * own[i];
  });
  const double total = sum([=](int64_t i) { return degree[i]; });
  const double first = static_cast<double>(rows) / static_cast<double>(all) / total;
  each([&](int64_t i) { share[i] = first; });
  similarities(matrix, share, sums, image);
  each([&](int64_t i) {
    residual[i] = jump - diagonal[i] * share[i] + steps.damping * image[i];
    direction[i] = 1 / degree[i] * residual[i];
  });
  double energy = dot(residual, direction);
  for (int64_t nth = 0; nth < steps.most && !(energy * total < steps.least_energy); ++nth) {
    similarities(matrix, direction, sums, image);
    each([&](int64_t i) { image[i] = diagonal[i] * direction[i] - steps.damping * image[i]; });
    const double along = energy / dot(direction, image);
    each([&](int64_t i) {
      share[i] += along * direction[i];
      residual[i] -= along * image[i];
      step[i] = 1 / degree[i] * residual[i];
    });
    const double previous = energy;
    energy = dot(residual, step);
    const double turn = energy / previous;
    each([&](int64_t i) { direction[i] = step[i] + turn * direction[i]; });
  }
  each([&](int64_t i) { ranks[linked.rows()[i]] = degree[i] * share[i]; });
  const double whole = sum_of(0, all, [=](int64_t i) { return ranks[i]; });
  for (int64_t row = 0; row < all; ++row) ranks[row] /= whole;
  return true;
}

// One less the cosines of the rows and the sum of their relative frequencies.
void novelty(const Matrix& matrix, const double* filled, const double* words, double* sums,
             double* scores) {
  std::fill(sums, sums + matrix.column_count, 0.0);
  for (int64_t row = 0; row < matrix.rows; ++row) matrix.add_to(sums, row, 1 / words[row]);
  const double squares =
      sum_of(0, matrix.column_count, [=](int64_t i) { return sums[i] * sums[i]; });
  const double length = std::max(std::sqrt(squares), 1e-300);
  for (int64_t row = 0; row < matrix.rows; ++row) {
    const double cosine = matrix.scale[row] * matrix.times(row, sums) / length;
    scores[row] = std::max(filled[row] - cosine, 0.0);
  }
}

}  // namespace
}  // namespace pointsman

// Counts in how many of some rows of a matrix each column has an entry.
POINTSMAN_EXPORT int64_t pointsman_term_frequencies(const int32_t* starts, const int32_t* ends,
                                                    const int32_t* columns, int64_t rows,
                                                    int64_t column_count,
                                                    int32_t* frequencies) noexcept {
  std::fill(frequencies, frequencies + column_count, 0);
  for (int64_t row = 0; row < rows; ++row) {
    for (int32_t at = starts[row]; at < ends[row]; ++at) ++frequencies[columns[at]];
  }
  return 0;
}

// Writes TextRank, density and novelty of some rows, at least one, [3, rows], before scaling. Takes
// in how many of the rows each column has an entry, and the inverse document frequencies.
POINTSMAN_EXPORT int64_t pointsman_term_signals(const int32_t* starts, const int32_t* ends,
                                                const int32_t* columns, const double* values,
                                                int64_t rows, int64_t column_count,
                                                const int32_t* frequencies,
                                                const double* inverse_frequencies, double damping,
                                                double least_energy, int64_t steps,
                                                double* signals) noexcept {
  using namespace pointsman;
  const auto memory = allocate<double>(4 * rows + column_count);
  if (!memory) return kOutOfMemory;
  double *scale = memory.get(), *filled = scale + rows, *words = filled + rows, *own = words + rows,
         *sums = own + rows;
  const Matrix matrix{starts, ends, columns, values, rows, column_count, scale};
  double *ranks = signals, *densities = ranks + rows, *novelties = densities + rows;
  int64_t linked_rows = 0, linked_entries = 0;
  for (int64_t row = 0; row < rows; ++row) {
    double sum = 0, square = 0, shared = 0, inverse = 0;
    for (int32_t at = starts[row]; at < ends[row]; ++at) {
      const double value = values[at];
      sum += value;
      square += value * value;
      const bool is_shared = frequencies[columns[at]] > 1;
      if (is_shared) shared += value * value;
      linked_entries += is_shared;
      inverse += value * inverse_frequencies[columns[at]];
    }
    filled[row] = starts[row] < ends[row] ? 1 : 0;
    words[row] = std::max(sum, 1.0);
    scale[row] = filled[row] / std::sqrt(std::max(square, 1.0));
    own[row] = shared / std::max(square, 1.0);
    linked_rows += shared > 0;
    densities[row] = inverse / words[row];
  }
  Linked linked;
  if (!linked.build(matrix, frequencies, own, linked_rows, linked_entries)) return kOutOfMemory;
  if (!textrank(linked, own, rows, {damping, least_energy, steps}, ranks)) return kOutOfMemory;
  novelty(matrix, filled, words, sums, novelties);
  return 0;
}
