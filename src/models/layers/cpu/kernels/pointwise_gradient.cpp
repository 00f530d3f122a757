// Gradient of a 1x1 convolution's input: its weights, turned, times the positions of the output's gradient.
// Letters: C channels of x, O of y. Positions count over all images; those of x lie `stride` apart.
#include "arguments.h"
#include "matrix.h"
#include "parallel.h"
#include "turn.h"

#include <algorithm>
#include <vector>

namespace {

constexpr int64_t BLOCK = 32 * ROWS;  // rows of a part, which reads its columns once

int64_t ceil_ratio(int64_t a, int64_t b) { return (a + b - 1) / b; }

// A map (B, num_channels, height, width) of which every `stride`th position of every `stride`th line counts.
struct Map {
  int64_t num_channels, height, width, stride;

  int64_t size() const { return height * width; }  // of an image's channel

  // Where a position, counted over all images, lies in the first channel.
  int64_t place(int64_t position) const {
    const int64_t line_size = ceil_ratio(width, stride), image_size = ceil_ratio(height, stride) * line_size;
    const int64_t inner = position % image_size, line = inner / line_size, column = inner % line_size;
    return position / image_size * num_channels * size() + (line * width + column) * stride;
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

// Inputs x (for its shape), weights (O, C, 1, 1), dy, a tensor of the stride's length. Outputs dx; space for (C, O).
void backward(const Arguments &a) {
  const int64_t C = a.size(0, 1), O = a.size(1, 0);
  const Map x{C, a.size(0, 2), a.size(0, 3), a.size(3, 0)}, y{O, a.size(2, 2), a.size(2, 3), 1};
  const int64_t num_positions = a.size(0, 0) * y.size(), num_blocks = ceil_ratio(C, BLOCK);
  const float *dy = a.floats(2);
  float *dx = a.floats(4), *turned = a.floats(5);
  turn(a.floats(1), O, C, 1, turned);
  if (x.stride > 1) std::fill_n(dx, a.size_from(0, 0), 0);
  parallel_for(ceil_ratio(num_positions, COLUMNS) * num_blocks, COLUMNS * O, [&](int64_t part) {
    const int64_t first = part / num_blocks * COLUMNS, block = part % num_blocks * BLOCK;
    const Places read(y, first, std::min(COLUMNS, num_positions - first)), written(x, first, read.count);
    std::vector<float> columns(O * COLUMNS);
    for (int64_t o = 0; o < O; o++) read.read(dy + o * y.size(), &columns[o * COLUMNS]);
    for (int64_t row = block; row < std::min(block + BLOCK, C); row += ROWS) {
      const float *rows[ROWS];
      for (int64_t i = 0; i < ROWS; i++) rows[i] = turned + std::min(row + i, C - 1) * O;
      float sums[ROWS * COLUMNS];
      multiply_tile(rows, columns.data(), O, sums);
      for (int64_t i = 0; i < std::min(ROWS, C - row); i++) written.write(sums + i * COLUMNS, dx + (row + i) * x.size());
    }
  });
}

}  // namespace

KERNEL(pointwise_gradient, backward)
