// 1x1 convolution: its weights times the positions of the input. The gradient of the input: the weights, turned, times
// the positions of the output's gradient.
// Letters: C channels of x, O of y. Positions count over all images; those of x lie `stride` apart.
#include "arguments.h"
#include "matrix.h"
#include "parallel.h"
#include "space.h"
#include "turn.h"

#include <algorithm>

namespace {

constexpr int64_t BLOCK = 32 * ROWS;  // rows of a part, which reads its columns once

int64_t ceil_ratio(int64_t a, int64_t b) { return (a + b - 1) / b; }

// A map (B, num_channels, height, width) of numbers of which every `stride`th position of every `stride`th line counts.
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

// A part of `product`: numbers of up to BLOCK channels of y, from `block` on, at up to N vectors of positions.
template <int64_t N>
void part(const float *matrix, const Map &x, const float *from, const Map &y, float *to, int64_t block, int64_t first,
          int64_t count) {
  const Places read(x, first, count), written(y, first, count);
  const int64_t depth = x.num_channels, last = y.num_channels - 1;
  static thread_local Space space;
  float *columns = space.place(depth * N * WIDTH);
  for (int64_t c = 0; c < depth; c++) read.read(from + c * x.size(), &columns[c * N * WIDTH]);
  for (int64_t row = block; row <= std::min(block + BLOCK - 1, last); row += ROWS) {
    const float *rows[ROWS];
    for (int64_t i = 0; i < ROWS; i++) rows[i] = matrix + std::min(row + i, last) * depth;
    float sums[ROWS * N * WIDTH];
    multiply_tile<N>(rows, columns, depth, sums);
    for (int64_t i = 0; i < std::min(ROWS, last + 1 - row); i++)
      written.write(sums + i * N * WIDTH, to + (row + i) * y.size());
  }
}

// A matrix (channels of y, channels of x) times x, at each position.
void product(const float *matrix, const Map &x, const float *from, const Map &y, float *to, int64_t num_positions) {
  const int64_t num_blocks = ceil_ratio(y.num_channels, BLOCK);
  parallel_for(ceil_ratio(num_positions, COLUMNS) * num_blocks, COLUMNS * x.num_channels, [&](int64_t number) {
    const int64_t first = number / num_blocks * COLUMNS, count = std::min(COLUMNS, num_positions - first);
    const auto work = count <= WIDTH ? part<1> : count <= 2 * WIDTH ? part<2> : part<3>;
    work(matrix, x, from, y, to, number % num_blocks * BLOCK, first, count);
  });
}

// Inputs x, weights (O, C, 1, 1), a tensor of the stride's length. Output y.
void forward(const Arguments &a) {
  const Map x{a.size(0, 1), a.size(0, 2), a.size(0, 3), a.size(2, 0)}, y{a.size(1, 0), a.size(3, 2), a.size(3, 3), 1};
  product(a.floats(1), x, a.floats(0), y, a.floats(3), a.size(0, 0) * y.size());
}

// Inputs x (for its shape), weights, dy, a tensor of the stride's length. Outputs dx; space for (C, O).
void backward(const Arguments &a) {
  const int64_t C = a.size(0, 1), O = a.size(1, 0);
  const Map x{C, a.size(0, 2), a.size(0, 3), a.size(3, 0)}, y{O, a.size(2, 2), a.size(2, 3), 1};
  float *dx = a.floats(4), *turned = a.floats(5);
  turn(a.floats(1), O, C, 1, turned);
  if (x.stride > 1) std::fill_n(dx, a.size_from(0, 0), 0);
  product(turned, y, a.floats(2), x, dx, a.size(0, 0) * y.size());
}

}  // namespace

KERNEL(pointwise_conv, forward)
KERNEL(pointwise_gradient, backward)
