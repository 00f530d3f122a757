// Linear layers of rows: y = x W^T + bias, and the gradient of x, dx = dy W.
// Letters: R rows, C channels of x, O of y; W (O, C).
#include "arguments.h"
#include "panel_products.h"

namespace {

constexpr int64_t BLOCK = 16 * ROWS;  // rows of a part
constexpr int64_t GROUP = 2;          // panels of a part

// Rows (R, depth) times the columns -> (R, width).
void multiply(const float *rows, int64_t R, const Panels &panels, const float *bias, float *to) {
  const int64_t num_groups = (panels.count() + GROUP - 1) / GROUP, depth = panels.depth;
  parallel_for((R + BLOCK - 1) / BLOCK * num_groups, BLOCK * (depth + COLUMNS), [&](int64_t part) {
    const int64_t row = part / num_groups * BLOCK, panel = part % num_groups * GROUP;
    multiply_by_panels(rows + row * depth, std::min(BLOCK, R - row), panels, panel, std::min(panel + GROUP, panels.count()),
                       bias, to + row * panels.width);
  });
}

// Inputs x, W and, if it is added, a bias (O,). Output y.
template <bool biased>
void forward(const Arguments &a) {
  static thread_local Space space;
  const Panels panels = packed(space, a.floats(1), a.size(1, 0), a.size(1, 1), true);
  multiply(a.floats(0), a.size(0, 0), panels, biased ? a.floats(2) : nullptr, a.floats(2 + biased));
}

// Inputs dy, W. Output dx.
void backward(const Arguments &a) {
  static thread_local Space space;
  const Panels panels = packed(space, a.floats(1), a.size(1, 0), a.size(1, 1), false);
  multiply(a.floats(0), a.size(0, 0), panels, nullptr, a.floats(2));
}

}  // namespace

KERNEL(row_product, forward<false>)
KERNEL(biased_row_product, forward<true>)
KERNEL(row_gradient, backward)
