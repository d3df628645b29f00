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

// NumPy's sum: of halves, down to blocks that are added in eight strands.
double sum_of(const double* values, int64_t count) {
  constexpr int64_t kStrands = 8, kBlock = 128;
  if (count > kBlock) {
    const int64_t half = count / 2 - count / 2 % kStrands;
    return sum_of(values, half) + sum_of(values + half, count - half);
  }
  double sum = 0;
  int64_t i = 0;
  if (count >= kStrands) {
    double strands[kStrands];
    for (; i < kStrands; ++i) strands[i] = values[i];
    for (; i + kStrands <= count; i += kStrands) {
      for (int64_t nth = 0; nth < kStrands; ++nth) strands[nth] += values[i + nth];
    }
    sum = ((strands[0] + strands[1]) + (strands[2] + strands[3])) +
          ((strands[4] + strands[5]) + (strands[6] + strands[7]));
  }
  for (; i < count; ++i) sum += values[i];
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

constexpr int64_t kVectors = 7;  // of rows that are worked with

// What is left of a matrix without the columns that no two rows have in common, for textrank. Those
// that are left are numbered as they come: then what neighbouring rows share lies close together,
// which counts where sums over columns outgrow the fast caches.
class Linked {
 public:
  // Takes in how many rows each column has an entry. False if memory is out.
  bool build(const Matrix& matrix, const int64_t* frequencies) noexcept {
    int64_t entries = 0;
    for (int64_t row = 0; row < matrix.rows; ++row) entries += matrix.ends[row] - matrix.starts[row];
    row_ends_ = allocate<int32_t>(matrix.rows + 1);
    columns_ = allocate<int32_t>(entries);
    values_ = allocate<double>(entries);
    const auto numbers = allocate<int32_t>(matrix.column_count);
    if (!row_ends_ || !columns_ || !values_ || !numbers) return false;
    for (int64_t column = 0; column < matrix.column_count; ++column) {
      numbers[column] = frequencies[column] > 1 ? kUnmet : kAlone;
    }
    int32_t met = 0, end = row_ends_[0] = 0;
    for (int64_t row = 0; row < matrix.rows; ++row) {
      for (int32_t at = matrix.starts[row]; at < matrix.ends[row]; ++at) {
        int32_t& number = numbers[matrix.columns[at]];
        if (number == kAlone) continue;
        if (number == kUnmet) number = met++;
        columns_[end] = number;
        values_[end++] = matrix.values[at];
      }
      row_ends_[row + 1] = end;
    }
    linked_ = {row_ends_.get(), row_ends_.get() + 1, columns_.get(), values_.get(),
               matrix.rows,     met,                 matrix.scale};
    return true;
  }

  const Matrix& matrix() const noexcept { return linked_; }

 private:
  static constexpr int32_t kUnmet = -1, kAlone = -2;
  std::unique_ptr<int32_t[]> row_ends_, columns_;
  std::unique_ptr<double[]> values_;
  Matrix linked_{};
};

// The ranks that relevance.textrank computes, step by step as it does. Of each row the matrix has
// `own` of the squared length, which is to be left out of its products.
void textrank(const Matrix& matrix, const double* filled, const double* own, const Steps& steps,
              double* sums, double* vectors, double* ranks) {
  const int64_t rows = matrix.rows;
  double *degree = vectors, *diagonal = degree + rows, *residual = diagonal + rows,
         *direction = residual + rows, *image = direction + rows, *products = image + rows,
         *step = products + rows;
  const auto each = [rows](auto&& at) {
    for (int64_t row = 0; row < rows; ++row) at(row);
  };

  similarities(matrix, filled, sums, degree);
  each([&](int64_t i) {
    degree[i] -= own[i];
    if (!(degree[i] > 1e-9)) degree[i] = 1;
    diagonal[i] = degree[i] + steps.damping * own[i];
  });
  const double total = sum_of(degree, rows);
  each([&](int64_t i) { ranks[i] = 1 / total; });  // over degrees, until the end
  similarities(matrix, ranks, sums, image);
  const double jump = (1 - steps.damping) / static_cast<double>(rows);
  each([&](int64_t i) {
    residual[i] = jump - diagonal[i] * ranks[i] + steps.damping * image[i];
    direction[i] = 1 / degree[i] * residual[i];
    products[i] = residual[i] * direction[i];
  });
  double energy = sum_of(products, rows);
  for (int64_t nth = 0; nth < steps.most && !(energy * total < steps.least_energy); ++nth) {
    similarities(matrix, direction, sums, image);
    each([&](int64_t i) {
      image[i] = diagonal[i] * direction[i] - steps.damping * image[i];
      products[i] = direction[i] * image[i];
    });
    const double along = energy / sum_of(products, rows);
    each([&](int64_t i) {
      ranks[i] += along * direction[i];
      residual[i] -= along * image[i];
      step[i] = 1 / degree[i] * residual[i];
      products[i] = residual[i] * step[i];
    });
    const double previous = energy;
    energy = sum_of(products, rows);
    const double turn = energy / previous;
    each([&](int64_t i) { direction[i] = step[i] + turn * direction[i]; });
  }
  each([&](int64_t i) { ranks[i] *= degree[i]; });
  const double sum = sum_of(ranks, rows);
  each([&](int64_t i) { ranks[i] /= sum; });
}

// One less the cosines of the rows and the sum of their relative frequencies.
void novelty(const Matrix& matrix, const double* filled, const double* words, double* sums,
             double* squares, double* scores) {
  std::fill(sums, sums + matrix.column_count, 0.0);
  for (int64_t row = 0; row < matrix.rows; ++row) matrix.add_to(sums, row, 1 / words[row]);
  for (int64_t i = 0; i < matrix.column_count; ++i) squares[i] = sums[i] * sums[i];
  const double length = std::max(std::sqrt(sum_of(squares, matrix.column_count)), 1e-300);
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
                                                    int64_t* frequencies) noexcept {
  std::fill(frequencies, frequencies + column_count, int64_t{0});
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
                                                const int64_t* frequencies,
                                                const double* inverse_frequencies, double damping,
                                                double least_energy, int64_t steps,
                                                double* signals) noexcept {
  using namespace pointsman;
  const auto memory = allocate<double>((kVectors + 4) * rows + 2 * column_count);
  if (!memory) return kOutOfMemory;
  double *scale = memory.get(), *filled = scale + rows, *words = filled + rows, *own = words + rows,
         *vectors = own + rows, *sums = vectors + kVectors * rows, *squares = sums + column_count;
  const Matrix matrix{starts, ends, columns, values, rows, column_count, scale};
  double *ranks = signals, *densities = ranks + rows, *novelties = densities + rows;
  for (int64_t row = 0; row < rows; ++row) {
    double sum = 0, square = 0, linked = 0, inverse = 0;
    for (int32_t at = starts[row]; at < ends[row]; ++at) {
      const double value = values[at];
      sum += value;
      square += value * value;
      if (frequencies[columns[at]] > 1) linked += value * value;
      inverse += value * inverse_frequencies[columns[at]];
    }
    filled[row] = starts[row] < ends[row] ? 1 : 0;
    words[row] = std::max(sum, 1.0);
    scale[row] = filled[row] / std::sqrt(std::max(square, 1.0));
    own[row] = linked / std::max(square, 1.0);
    densities[row] = inverse / words[row];
  }
  Linked linked;
  if (!linked.build(matrix, frequencies)) return kOutOfMemory;
  textrank(linked.matrix(), filled, own, {damping, least_energy, steps}, sums, vectors, ranks);
  novelty(matrix, filled, words, sums, squares, novelties);
  return 0;
}
