// Gradients of a linear layer's weights and bias: dW = dy^T x, and the sum of dy, over the rows.
// Letters: R rows, C channels of x, O of y; dW (O, C). A part computes some columns from some of the rows.
#include "arguments.h"
#include "panel_products.h"

#include <vector>

namespace {

constexpr int64_t DEPTH = 256;      // rows whose packed numbers stay in the cache
constexpr int64_t STRIPS = 64;      // of dy, ROWS channels each
constexpr int64_t GROUP = 2;        // panels of a part
constexpr int64_t FEWEST_PARTS = 8;

struct Gradient {
  const float *x, *dy;
  int64_t R, C, O;

  // Some columns, from `first` on, of the sum over the rows start ... end - 1.
  void part(int64_t first, int64_t count, int64_t start, int64_t end, float *to, float *bias) const {
    static thread_local Space of_columns, of_strips;
    for (int64_t row = start; row < end; row += DEPTH) {
      Panels panels{std::min(DEPTH, end - row), count};
      panels.numbers = of_columns.place(panels.size());
      panels.pack(x + row * C + first, C, 0, panels.count());
      for (int64_t o = 0; o < O; o += STRIPS * ROWS) {
        const int64_t height = std::min(STRIPS * ROWS, O - o);
        const Strips strips{panels.depth, height, of_strips.place(Strips::size(panels.depth, height))};
        strips.pack(dy + row * O + o, O, bias ? bias + o : nullptr);
        strips.multiply(panels, to + o * C + first, C, row > start);
      }
    }
  }
};

// Inputs x, dy. Outputs dW, dbias.
void backward(const Arguments &a) {
  const Gradient gradient{a.floats(0), a.floats(1), a.size(0, 0), a.size(0, 1), a.size(1, 1)};
  const int64_t R = gradient.R, C = gradient.C, O = gradient.O, num_groups = (C + GROUP * COLUMNS - 1) / (GROUP * COLUMNS);
  const int64_t most_slices = (R + DEPTH - 1) / DEPTH, slices_wanted = (FEWEST_PARTS + num_groups - 1) / num_groups;
  const int64_t num_slices = std::min(slices_wanted, most_slices);
  std::vector<float> sums((num_slices - 1) * O * C), biases(num_slices * O);
  parallel_for(num_slices * num_groups, R / num_slices * (O + COLUMNS), [&](int64_t part) {
    const int64_t slice = part / num_groups, first = part % num_groups * GROUP * COLUMNS;
    float *to = slice ? &sums[(slice - 1) * O * C] : a.floats(2);
    gradient.part(first, std::min(GROUP * COLUMNS, C - first), slice * R / num_slices, (slice + 1) * R / num_slices, to,
                  first ? nullptr : &biases[slice * O]);
  });
  float *dweights = a.floats(2), *dbias = a.floats(3);
  for (int64_t slice = 1; slice < num_slices; slice++)
    for (int64_t i = 0; i < O * C; i++) dweights[i] += sums[(slice - 1) * O * C + i];
  std::fill_n(dbias, O, 0);
  for (int64_t slice = 0; slice < num_slices; slice++)
    for (int64_t o = 0; o < O; o++) dbias[o] += biases[slice * O + o];
}

}  // namespace

KERNEL(row_weight_gradient, backward)
