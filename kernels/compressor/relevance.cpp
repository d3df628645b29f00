// Sums of a sentence-term matrix, and the ranks of its sentences; see relevance.py. Additions are
// in the order of SciPy's products and NumPy's sums, and so are rounded alike.
#include <algorithm>

#include "library.h"

namespace pointsman {
namespace {

// A matrix in compressed rows, each times its scale.
struct Matrix {
  const int32_t* row_ends;  // row_ends[row] is the end of the row before
  const int32_t* columns;
  const double* values;
  const double* scale;
  int64_t rows, column_count;
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

// The matrix times (its transpose times a vector).
void similarities(const Matrix& matrix, const double* vector, double* sums, double* product) {
  std::fill(sums, sums + matrix.column_count, 0.0);
  for (int64_t row = 0; row < matrix.rows; ++row) {
    const double factor = matrix.scale[row] * vector[row];
    for (int32_t at = matrix.row_ends[row]; at < matrix.row_ends[row + 1]; ++at) {
      sums[matrix.columns[at]] += matrix.values[at] * factor;
    }
  }
  for (int64_t row = 0; row < matrix.rows; ++row) {
    double sum = 0;
    for (int32_t at = matrix.row_ends[row]; at < matrix.row_ends[row + 1]; ++at) {
      sum += matrix.values[at] * sums[matrix.columns[at]];
    }
    product[row] = matrix.scale[row] * sum;
  }
}

}  // namespace
}  // namespace pointsman

// Writes the sum and the sum of squares of each row of a matrix in compressed rows.
POINTSMAN_EXPORT int64_t pointsman_row_sums(const int32_t* row_ends, const double* values,
                                            int64_t rows, double* sums, double* squares) noexcept {
  for (int64_t row = 0; row < rows; ++row) {
    double sum = 0, square = 0;
    for (int32_t at = row_ends[row]; at < row_ends[row + 1]; ++at) {
      sum += values[at];
      square += values[at] * values[at];
    }
    sums[row] = sum;
    squares[row] = square;
  }
  return 0;
}

// Writes the ranks that relevance.textrank computes, step by step as it does. Of `rows` rows, at
// least one, `filled` is 1 where they have entries, else 0.
POINTSMAN_EXPORT int64_t pointsman_textrank(const int32_t* row_ends, const int32_t* columns,
                                            const double* values, int64_t rows,
                                            int64_t column_count, const double* scale,
                                            const double* filled, double damping,
                                            double least_energy, int64_t steps,
                                            double* ranks) noexcept {
  using namespace pointsman;
  const Matrix matrix{row_ends, columns, values, scale, rows, column_count};
  constexpr int64_t kVectors = 7;
  const auto memory = allocate<double>(kVectors * rows + column_count);
  if (!memory) return kOutOfMemory;
  double *degree = memory.get(), *diagonal = degree + rows, *residual = diagonal + rows,
         *direction = residual + rows, *image = direction + rows, *products = image + rows,
         *step = products + rows, *sums = step + rows;
  const auto each = [rows](auto&& at) {
    for (int64_t row = 0; row < rows; ++row) at(row);
  };

  similarities(matrix, filled, sums, degree);
  each([&](int64_t i) {
    degree[i] -= filled[i];
    if (!(degree[i] > 1e-9)) degree[i] = 1;
    diagonal[i] = degree[i] + damping * filled[i];
  });
  const double total = sum_of(degree, rows);
  each([&](int64_t i) { ranks[i] = 1 / total; });  // over degrees, until the end
  similarities(matrix, ranks, sums, image);
  const double jump = (1 - damping) / static_cast<double>(rows);
  each([&](int64_t i) {
    residual[i] = jump - diagonal[i] * ranks[i] + damping * image[i];
    direction[i] = 1 / degree[i] * residual[i];
    products[i] = residual[i] * direction[i];
  });
  double energy = sum_of(products, rows);
  for (int64_t nth = 0; nth < steps && !(energy * total < least_energy); ++nth) {
    similarities(matrix, direction, sums, image);
    each([&](int64_t i) {
      image[i] = diagonal[i] * direction[i] - damping * image[i];
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
  return 0;
}
