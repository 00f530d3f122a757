// 1x1 convolution: its weights times the positions of the input, in each group of channels. The gradient of the input: the
// weights, turned, times the positions of the output's gradient.
// Letters: C channels of x, O of y. Positions count over all images; those of x lie `stride` apart.
#include "arguments.h"
#include "matrix.h"
#include "parallel.h"
#include "space.h"
#include "turn.h"

#include <algorithm>
#include <vector>

namespace {

constexpr int64_t BLOCK = 32 * ROWS;  // rows of a part, which lays its columns once
constexpr int64_t PANEL = COLUMNS;    // positions that are computed together
constexpr int64_t MOST_PANELS = 8, MOST_NUMBERS = 131072;  // of a part's columns, which stay in the second cache

int64_t ceil_ratio(int64_t a, int64_t b) { return (a + b - 1) / b; }

// A map (B, num_channels, height, width) of numbers of which every `stride`th position of every `stride`th line counts.
struct Map {
  int64_t num_channels, height, width, stride;

  int64_t size() const { return height * width; }  // of an image's channel
  int64_t num_positions() const { return ceil_ratio(height, stride) * ceil_ratio(width, stride); }

  // Where a position, counted over all images, lies in the first channel.
  int64_t place(int64_t position) const {
    const int64_t line_size = ceil_ratio(width, stride), inner = position % num_positions();
    const int64_t line = inner / line_size, column = inner % line_size;
    return position / num_positions() * num_channels * size() + (line * width + column) * stride;
  }
};

// The places of positions first ... first + count - 1 in a channel.
struct Places {
  int64_t numbers[COLUMNS], count;
  bool joined;  // side by side

  Places(const Map &map, int64_t first, int64_t count) : count(count) {
    for (int64_t j = 0; j < count; j++) numbers[j] = map.place(first + j);
    joined = numbers[count - 1] - numbers[0] == count - 1;
  }

  void read(const float *channel, float *values) const {
    if (joined)
      std::copy_n(channel + numbers[0], count, values);
    else
      for (int64_t j = 0; j < count; j++) values[j] = channel[numbers[j]];
  }

  void write(const float *values, float *channel) const {
    if (joined)
      std::copy_n(values, count, channel + numbers[0]);
    else
      for (int64_t j = 0; j < count; j++) channel[numbers[j]] = values[j];
  }
};

// PANEL positions of x as columns, and where their products belong in y.
struct Panel {
  const Places read, written;
  float *columns;

  Panel(const Map &x, const Map &y, int64_t first, int64_t count, float *columns)
      : read(x, first, count), written(y, first, count), columns(columns) {}

  int64_t num_vectors() const { return ceil_ratio(read.count, WIDTH); }

  void lay(const float *channel, int64_t c) { read.read(channel, columns + c * num_vectors() * WIDTH); }

  // ROWS rows times the columns; the first `count` belong to y, whose channels are `size` numbers apart.
  void multiply(const float *const *rows, int64_t depth, int64_t count, int64_t size, float *y) const {
    const auto tile = num_vectors() == 1 ? multiply_tile<1> : num_vectors() == 2 ? multiply_tile<2> : multiply_tile<>;
    alignas(64) float sums[ROWS * PANEL];
    tile(rows, columns, depth, sums);
    for (int64_t i = 0; i < count; i++) written.write(sums + i * num_vectors() * WIDTH, y + i * size);
  }
};

// A matrix (channels of y, channels of x) of each group times x, at each position.
struct Product {
  const float *matrices, *x;
  float *y;
  const Map in, out;
  const int64_t num_groups, num_images;
  const int64_t num_positions = num_images * in.num_positions();
  const int64_t depth = in.num_channels / num_groups, num_rows = out.num_channels / num_groups;
  const int64_t num_blocks = ceil_ratio(num_rows, BLOCK), num_panels = ceil_ratio(num_positions, PANEL);
  const int64_t most_panels = std::clamp<int64_t>(MOST_NUMBERS / (depth * PANEL), 1, MOST_PANELS);
  const int64_t num_runs = ceil_ratio(num_panels, most_panels), run = ceil_ratio(num_panels, num_runs);

  // Up to BLOCK rows of a group, from row `block` on, times the panels from `first` on.
  void part(int64_t group, int64_t block, int64_t first) const {
    const float *matrix = matrices + group * num_rows * depth, *from = x + group * depth * in.size();
    float *to = y + group * num_rows * out.size();
    static thread_local Space space;
    float *columns = space.place(run * depth * PANEL);
    std::vector<Panel> panels;
    for (int64_t position = first * PANEL; position < std::min((first + run) * PANEL, num_positions); position += PANEL) {
      panels.emplace_back(in, out, position, std::min(PANEL, num_positions - position), columns);
      columns += depth * PANEL;
    }
    for (int64_t c = 0; c < depth; c++)
      for (Panel &panel : panels) panel.lay(from + c * in.size(), c);
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

// Inputs x, weights (O, C / groups, 1, 1), a tensor of the stride's length. Output y.
void forward(const Arguments &a) {
  const Map x{a.size(0, 1), a.size(0, 2), a.size(0, 3), a.size(2, 0)}, y{a.size(1, 0), a.size(3, 2), a.size(3, 3), 1};
  Product{a.floats(1), a.floats(0), a.floats(3), x, y, x.num_channels / a.size(1, 1), a.size(0, 0)}.run_all();
}

// Inputs x (for its shape), weights, dy, a tensor of the stride's length. Outputs dx; space for the weights.
void backward(const Arguments &a) {
  const int64_t C = a.size(1, 1), groups = a.size(0, 1) / C, O = a.size(1, 0) / groups;
  const Map x{groups * C, a.size(0, 2), a.size(0, 3), a.size(3, 0)}, y{groups * O, a.size(2, 2), a.size(2, 3), 1};
  float *dx = a.floats(4), *turned = a.floats(5);
  for (int64_t g = 0; g < groups; g++) turn(a.floats(1) + g * O * C, O, C, 1, turned + g * O * C);
  if (x.stride > 1) std::fill_n(dx, a.size_from(0, 0), 0);
  Product{turned, a.floats(2), dx, y, x, groups, a.size(0, 0)}.run_all();
}

}  // namespace

KERNEL(pointwise_conv, forward)
KERNEL(pointwise_gradient, backward)
