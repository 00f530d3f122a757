// GELU of rows plus a bias, (R, C), which the backward pass computes again instead of keeping them.
#include "activations.h"
#include "arguments.h"
#include "parallel.h"

#include <vector>

namespace {

constexpr int64_t ROWS = 128;  // of a part; the bias' gradient is summed by parts, so that no thread decides its rounding

// Inputs z, bias. Output y.
template <Activation A>
void forward(const Arguments &a) {
  const int64_t num_rows = a.size(0, 0), C = a.size(0, 1);
  const float *z = a.floats(0), *bias = a.floats(1);
  float *y = a.floats(2);
  parallel_for((num_rows + ROWS - 1) / ROWS, 4 * ROWS * C, [&](int64_t part) {
    for (int64_t r = part * ROWS; r < std::min(num_rows, (part + 1) * ROWS); r++)
      for (int64_t c = 0; c < C; c++) y[r * C + c] = activated<A>(z[r * C + c] + bias[c]);
  });
}

// None of the outputs overlaps anything else, which vector instructions need to know.
template <Activation A>
void backward_row(const float *z, const float *bias, const float *dy, int64_t C, float *__restrict dz,
                  float *__restrict dbias, float *__restrict y) {
  for (int64_t c = 0; c < C; c++) {
    const float x = z[c] + bias[c], share = gate<A>(x);
    y[c] = x * share;
    dz[c] = dy[c] * slope<A>(x, share);
    dbias[c] += dz[c];
  }
}

// Inputs z, bias, dy. Outputs dz, dbias, y.
template <Activation A>
void backward(const Arguments &a) {
  const int64_t num_rows = a.size(0, 0), C = a.size(0, 1), num_parts = (num_rows + ROWS - 1) / ROWS;
  const float *z = a.floats(0), *bias = a.floats(1), *dy = a.floats(2);
  float *dz = a.floats(3), *dbias = a.floats(4), *y = a.floats(5);
  std::vector<float> sums(num_parts * C);
  parallel_for(num_parts, 4 * ROWS * C, [&](int64_t part) {
    for (int64_t r = part * ROWS; r < std::min(num_rows, (part + 1) * ROWS); r++)
      backward_row<A>(z + r * C, bias, dy + r * C, C, dz + r * C, &sums[part * C], y + r * C);
  });
  std::fill_n(dbias, C, 0);
  for (int64_t part = 0; part < num_parts; part++)
    for (int64_t c = 0; c < C; c++) dbias[c] += sums[part * C + c];
}

}  // namespace

KERNEL(bias_gelu, forward<GELU>)
KERNEL(bias_gelu_backward, backward<GELU>)
KERNEL(bias_tanh_gelu, forward<TANH_GELU>)
KERNEL(bias_tanh_gelu_backward, backward<TANH_GELU>)
