// LayerNorm over the last axis: rows (..., C).
#include "arguments.h"
#include "parallel.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace {

constexpr int64_t ROWS = 128;  // of a part; gradients of gamma and beta are summed by parts, whatever thread does them

// Inputs x, gamma, beta, epsilon (1,). Outputs y, mean and 1 / deviation of each row.
void forward(const Arguments &a) {
  const int64_t C = a.size(1, 0), num_rows = a.size_from(0, 0) / C;
  const float *gamma = a.floats(1), *beta = a.floats(2), epsilon = a.floats(3)[0];
  parallel_for((num_rows + ROWS - 1) / ROWS, 2 * ROWS * C, [&](int64_t part) {
    for (int64_t r = part * ROWS; r < std::min(num_rows, (part + 1) * ROWS); r++) {
      const float *x = a.floats(0) + r * C;
      float *y = a.floats(4) + r * C, sum = 0, squares = 0;
      for (int64_t c = 0; c < C; c++) sum += x[c];
      const float mean = sum / C;
      for (int64_t c = 0; c < C; c++) squares += (x[c] - mean) * (x[c] - mean);
      const float scale = 1 / std::sqrt(squares / C + epsilon);
      a.floats(5)[r] = mean, a.floats(6)[r] = scale;
      for (int64_t c = 0; c < C; c++) y[c] = (x[c] - mean) * scale * gamma[c] + beta[c];
    }
  });
}

// Inputs x, gamma, mean, 1 / deviation, dy. Outputs dx, dgamma, dbeta.
// With h = (x - mean) / deviation and g = dy gamma: dx = (g - mean(g) - h mean(g h)) / deviation.
void backward(const Arguments &a) {
  const int64_t C = a.size(1, 0), num_rows = a.size_from(0, 0) / C, num_parts = (num_rows + ROWS - 1) / ROWS;
  const float *gamma = a.floats(1);
  std::vector<float> sums(num_parts * 2 * C);
  parallel_for(num_parts, 4 * ROWS * C, [&](int64_t part) {
    float *dgamma = &sums[part * 2 * C], *dbeta = dgamma + C;
    for (int64_t r = part * ROWS; r < std::min(num_rows, (part + 1) * ROWS); r++) {
      const float *x = a.floats(0) + r * C, *dy = a.floats(4) + r * C, mean = a.floats(2)[r], scale = a.floats(3)[r];
      float *dx = a.floats(5) + r * C, average = 0, slant = 0;
      for (int64_t c = 0; c < C; c++) {
        const float h = (x[c] - mean) * scale, g = dy[c] * gamma[c];
        average += g;
        slant += g * h;
        dgamma[c] += dy[c] * h;
        dbeta[c] += dy[c];
      }
      average /= C, slant /= C;
      for (int64_t c = 0; c < C; c++) dx[c] = scale * (dy[c] * gamma[c] - average - (x[c] - mean) * scale * slant);
    }
  });
  std::fill_n(a.floats(6), C, 0);
  std::fill_n(a.floats(7), C, 0);
  for (int64_t part = 0; part < num_parts; part++)
    for (int64_t c = 0; c < C; c++) {
      a.floats(6)[c] += sums[part * 2 * C + c];
      a.floats(7)[c] += sums[(part * 2 + 1) * C + c];
    }
}

}  // namespace

KERNEL(layer_norm, forward)
KERNEL(layer_norm_backward, backward)
