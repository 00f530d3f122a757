// Convolution as a matrix product in each group of channels: its weights times what they meet at each position. The
// gradient of the input: the weights, turned, times what they meet of the output's gradient, for each of the input's
// phases, the numbers that meet the same taps.
// Letters: C channels of x, O of y.
#include "arguments.h"
#include "matrix.h"
#include "parallel.h"
#include "space.h"
#include "stretch.h"
#include "turn.h"

#include <algorithm>
#include <vector>

namespace {

constexpr int64_t BLOCK = 32 * ROWS;  // rows of a part, which lays its columns once
constexpr int64_t PANEL = COLUMNS;    // positions that are computed together
constexpr int64_t MOST_PANELS = 8, MOST_NUMBERS = 131072;  // of a part's columns, which stay in the second cache

// PANEL positions: a column for each, of what all channels have there at each tap; and where their products belong.
struct Panel {
  std::vector<Stretch> taps;
  Stretch written;
  float *columns;

  int64_t num_vectors() const { return ceil_ratio(written.count, WIDTH); }

  void lay(const float *channel, int64_t c) const {
    float *row = columns + c * int64_t(taps.size()) * num_vectors() * WIDTH;
    for (const Stretch &tap : taps) {
      tap.read(channel, row);
      row += num_vectors() * WIDTH;
    }
  }

  // ROWS rows times the columns; the first `count` belong to y, whose channels are `size` numbers apart.
  void multiply(const float *const *rows, int64_t depth, int64_t count, int64_t size, float *y) const {
    const auto tile = num_vectors() == 1 ? multiply_tile<1> : num_vectors() == 2 ? multiply_tile<2> : multiply_tile<>;
    alignas(64) float sums[ROWS * PANEL];
    tile(rows, columns, depth, sums);
    for (int64_t i = 0; i < count; i++) written.write(sums + i * num_vectors() * WIDTH, y + i * size);
  }
};

// A matrix (channels of y, channels of x and taps) of each group times x, at each position.
struct Product {
  const float *matrices, *x;
  float *y;
  const Map in, out;
  const std::vector<Grid> taps;  // what is read of x
  const Grid written;            // of y
  const int64_t num_groups, num_images, height, width;  // positions of an image
  const int64_t num_positions = num_images * height * width, num_taps = taps.size();
  const int64_t num_channels = in.num_channels / num_groups, depth = num_channels * num_taps;
  const int64_t num_rows = out.num_channels / num_groups, num_blocks = ceil_ratio(num_rows, BLOCK);
  const int64_t num_panels = ceil_ratio(num_positions, PANEL);
  const int64_t most_panels = std::clamp<int64_t>(MOST_NUMBERS / (depth * PANEL), 1, MOST_PANELS);
  const int64_t num_runs = ceil_ratio(num_panels, most_panels), run = ceil_ratio(num_panels, num_runs);

  Panel panel(int64_t first, float *columns) const {
    const int64_t count = std::min(PANEL, num_positions - first);
    Panel result{{}, Stretch(out, written, height, width, first, count), columns};
    result.taps.reserve(num_taps);
    for (const Grid &tap : taps) result.taps.emplace_back(in, tap, height, width, first, count);
    return result;
  }

  // Up to BLOCK rows of a group, from row `block` on, times the panels from `first` on.
  void part(int64_t group, int64_t block, int64_t first) const {
    const float *matrix = matrices + group * num_rows * depth, *from = x + group * num_channels * in.size();
    float *to = y + group * num_rows * out.size();
    static thread_local Space space;
    float *columns = space.place(run * depth * PANEL);
    std::vector<Panel> panels;
    for (int64_t position = first * PANEL; position < std::min((first + run) * PANEL, num_positions); position += PANEL) {
      panels.push_back(panel(position, columns));
      columns += depth * PANEL;
    }
    for (int64_t c = 0; c < num_channels; c++)
      for (const Panel &panel : panels) panel.lay(from + c * in.size(), c);
    for (int64_t row = block; row < std::min(block + BLOCK, num_rows); row += ROWS) {
      const float *rows[ROWS];
      for (int64_t i = 0; i < ROWS; i++) rows[i] = matrix + std::min(row + i, num_rows - 1) * depth;
      const int64_t count = std::min(ROWS, num_rows - row);
      for (const Panel &panel : panels) panel.multiply(rows, depth, count, out.size(), to + row * out.size());
    }
  }

  void run_all() const {
    parallel_for(num_groups * num_runs * num_blocks, run * PANEL * depth, [&](int64_t number) {
      part(number / num_blocks / num_runs, number % num_blocks * BLOCK, number / num_blocks % num_runs * run);
    });
  }
};

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
  Product{a.floats(1), a.floats(0), a.floats(3), conv.x, conv.y, taps, {0, 0, 1}, conv.groups, conv.B, conv.y.height,
          conv.y.width}
      .run_all();
}

// Weights (O, C, side * side) -> (C, O, taps).
void turn_taps(const Conv &conv, const float *weights, const std::vector<int64_t> &taps, float *turned) {
  const int64_t num_weights = conv.side * conv.side, num_taps = taps.size();
  if (num_weights == 1) return turn(weights, conv.O, conv.C, 1, turned);
  parallel_for(conv.C, conv.O * num_taps, [&](int64_t c) {
    for (int64_t o = 0; o < conv.O; o++)
      for (int64_t t = 0; t < num_taps; t++)
        turned[(c * conv.O + o) * num_taps + t] = weights[(o * conv.C + c) * num_weights + taps[t]];
  });
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
    const int64_t size = conv.O * conv.C;
    for (int64_t g = 0; g < conv.groups; g++)
      turn_taps(conv, a.floats(1) + g * size * conv.side * conv.side, phase.taps,
                turned + g * size * int64_t(phase.taps.size()));
    Product{turned, a.floats(2), dx, conv.y, conv.x, phase.met, phase.own, conv.groups, conv.B, height, width}.run_all();
  }
}

}  // namespace

KERNEL(product_conv, forward)
KERNEL(product_conv_gradient, backward)
