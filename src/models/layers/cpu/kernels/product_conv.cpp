// Convolution as a matrix product in each group of channels: its weights times what they meet at each position. The
// gradient of the input: the weights, turned, times what they meet of the output's gradient, for each of the input's
// phases, the numbers that meet the same taps.
// Letters: C channels of x, O of y.
#include "arguments.h"
#include "map_product.h"
#include "turn.h"

#include <algorithm>
#include <vector>

namespace {

// The convolution's sizes: inputs x and weights (O, C / groups, side, side), a tensor of shape (stride, dilation).
struct Conv {
  const int64_t C, groups, O, side, stride, dilation, B;  // C, O: of a group
  const Map x, y;

  Conv(const Arguments &a, int steps, int output)
      : C(a.size(1, 1)), groups(a.size(0, 1) / C), O(a.size(1, 0) / groups), side(a.size(1, 2)), stride(a.size(steps, 0)),
        dilation(a.size(steps, 1)), B(a.size(0, 0)), x{groups * C, a.size(0, 2), a.size(0, 3)},
        y{groups * O, a.size(output, 2), a.size(output, 3)} {}

  // How far from the number in the middle a tap of an axis lies.
  int64_t shift(int64_t tap) const { return dilation * (tap - side / 2); }
};

// Inputs x, weights, a tensor of shape (stride, dilation). Output y.
void forward(const Arguments &a) {
  const Conv conv(a, 2, 3);
  std::vector<Grid> taps;
  for (int64_t line = 0; line < conv.side; line++)
    for (int64_t number = 0; number < conv.side; number++)
      taps.push_back({conv.shift(line), conv.shift(number), conv.stride});
  const Map &x = conv.x, &y = conv.y;
  MapProduct{a.floats(1), a.floats(0), a.floats(3), x, y, taps, {0, 0, 1}, conv.groups, conv.B, y.height, y.width}.run_all();
}

// The numbers of x in every `stride`th line and place from one on, and what they meet of y.
struct Phase {
  const Grid own;
  std::vector<Grid> met;
  std::vector<int64_t> taps;

  Phase(const Conv &conv, int64_t number) : own{number / conv.stride, number % conv.stride, conv.stride} {
    for (int64_t tap = 0; tap < conv.side * conv.side; tap++) {
      const int64_t line = own.line - conv.shift(tap / conv.side), number = own.number - conv.shift(tap % conv.side);
      if (line % conv.stride != 0 || number % conv.stride != 0) continue;
      met.push_back({line / conv.stride, number / conv.stride, 1});
      taps.push_back(tap);
    }
  }
};

// Inputs x (for its shape), weights, dy, a tensor of shape (stride, dilation). Outputs dx; space for the weights.
void backward(const Arguments &a) {
  const Conv conv(a, 3, 2);
  std::vector<Phase> phases;
  for (int64_t number = 0; number < conv.stride * conv.stride; number++) phases.emplace_back(conv, number);
  float *dx = a.floats(4), *turned = a.floats(5);
  if (std::any_of(phases.begin(), phases.end(), [](const Phase &phase) { return phase.taps.empty(); }))
    std::fill_n(dx, a.size_from(0, 0), 0);
  for (const Phase &phase : phases) {
    const int64_t height = ceil_ratio(conv.x.height - phase.own.line, conv.stride);
    const int64_t width = ceil_ratio(conv.x.width - phase.own.number, conv.stride);
    if (phase.taps.empty() || height <= 0 || width <= 0) continue;
    const int64_t size = conv.O * conv.C, num_taps = conv.side * conv.side, count = phase.taps.size();
    for (int64_t g = 0; g < conv.groups; g++)
      turn(a.floats(1) + g * size * num_taps, conv.O, conv.C, num_taps, phase.taps, turned + g * size * count);
    MapProduct{turned, a.floats(2), dx, conv.y, conv.x, phase.met, phase.own, conv.groups, conv.B, height, width}.run_all();
  }
}

}  // namespace

KERNEL(product_conv, forward)
KERNEL(product_conv_gradient, backward)
