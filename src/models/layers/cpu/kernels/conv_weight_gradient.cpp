// Gradient of a convolution's weights: products of dy with the input at each tap, summed over images and positions.
// Letters: C channels of x, O of y. A column is a channel of x at a tap; a part computes COLUMNS of them for all O, and
// needs memory for some lines of an image at a time.
#include "arguments.h"
#include "matrix.h"
#include "parallel.h"
#include "space.h"
#include "transpose.h"

#include <algorithm>
#include <vector>

namespace {

constexpr int64_t POSITIONS = 1024;  // of which the columns of a part stay in the cache

// The windows of a convolution of `side` x `side` taps, padded by dilation * (side / 2).
struct Windows {
  int64_t height, width, side, stride, dilation;  // height, width: of x

  int64_t num_taps() const { return side * side; }
  int64_t padding() const { return dilation * (side / 2); }
  int64_t padded_width() const { return width + 2 * padding(); }
  int64_t padded_size() const { return (height + 2 * padding()) * padded_width(); }
  int64_t shift(int64_t tap) const { return dilation * (tap / side * padded_width() + tap % side); }

  // Some channels of an image, zeros around each -> numbers of padded_size().
  void pad(const float *channels, int64_t count, float *padded) const {
    for (int64_t c = 0; c < count; c++)
      for (int64_t line = 0; line < height; line++)
        std::copy_n(channels + (c * height + line) * width, width,
                    padded + c * padded_size() + (line + padding()) * padded_width() + padding());
  }
};

// Columns first ... first + count - 1, of the channels that they need.
struct Columns {
  const Windows &windows;
  int64_t first, count, first_channel, num_channels;
  std::vector<float> padded;
  const float *channels;

  Columns(const Windows &windows, int64_t first, int64_t count)
      : windows(windows),
        first(first),
        count(count),
        first_channel(first / windows.num_taps()),
        num_channels((first + count - 1) / windows.num_taps() - first_channel + 1),
        padded(windows.padding() ? num_channels * windows.padded_size() : 0) {}

  void read(const float *image) {
    channels = image + first_channel * windows.height * windows.width;
    if (windows.padding()) {
      windows.pad(channels, num_channels, padded.data());
      channels = padded.data();
    }
  }

  // Their values at the positions of a line of y, `width` numbers long -> (width, space), space >= count.
  void lay(int64_t line, int64_t width, int64_t space, float *values) const {
    const float *start = channels + line * windows.stride * windows.padded_width();
    if (windows.num_taps() == 1 && windows.stride == 1)
      return transpose(start, windows.padded_size(), count, width, values, space);
    for (int64_t j = 0; j < count; j++) {
      const int64_t channel = (first + j) / windows.num_taps(), tap = (first + j) % windows.num_taps();
      const float *column = start + (channel - first_channel) * windows.padded_size() + windows.shift(tap);
      for (int64_t x = 0; x < width; x++) values[x * space + j] = column[x * windows.stride];
    }
  }
};

// sums (O, N vectors) += rows of dy, `step` numbers apart, times columns (depth, N vectors).
template <int64_t N>
void add_products(const float *dy, int64_t O, int64_t step, const float *columns, int64_t depth, float *sums) {
  for (int64_t row = 0; row < O; row += ROWS) {
    const float *rows[ROWS];
    for (int64_t i = 0; i < ROWS; i++) rows[i] = dy + std::min(row + i, O - 1) * step;
    float products[ROWS * N * WIDTH];
    multiply_tile<N>(rows, columns, depth, products);
    for (int64_t i = 0; i < std::min(ROWS, O - row) * N * WIDTH; i++) sums[row * N * WIDTH + i] += products[i];
  }
}

// The convolution. Inputs x, weights (O, C / groups, side, side), dy, a tensor of shape (stride, dilation). Output
// dweights. C, O: of a group.
struct Conv {
  const Arguments &a;
  const int64_t B = a.size(0, 0), C = a.size(1, 1), groups = a.size(0, 1) / C, O = a.size(1, 0) / groups;
  const int64_t side = a.size(1, 2), stride = a.size(3, 0);
  const bool joined = side == 1 && stride == 1 && a.size_from(0, 2) <= POSITIONS;  // a small map is one line
  const Windows windows{lines_of(0), width_of(0), side, stride, a.size(3, 1)};
  const int64_t height = lines_of(2), width = width_of(2), num_columns = C * windows.num_taps();

  int64_t lines_of(int map) const { return joined ? 1 : a.size(map, 2); }
  int64_t width_of(int map) const { return joined ? a.size_from(map, 2) : a.size(map, 3); }

  // Up to N vectors of a group's columns, from `first` on.
  template <int64_t N>
  void part(int64_t group, int64_t first, int64_t count) const {
    static thread_local Space of_values, of_sums;
    const int64_t num_lines = std::max<int64_t>(1, POSITIONS / width);
    float *values = of_values.place(num_lines * width * N * WIDTH), *sums = of_sums.place(O * N * WIDTH);
    std::fill_n(sums, O * N * WIDTH, 0);
    Columns columns(windows, first, count);
    for (int64_t b = 0; b < B; b++) {
      columns.read(a.floats(0) + (b * groups + group) * C * a.size_from(0, 2));
      for (int64_t line = 0; line < height; line += num_lines) {
        const int64_t end = std::min(line + num_lines, height);
        for (int64_t i = line; i < end; i++) columns.lay(i, width, N * WIDTH, values + (i - line) * width * N * WIDTH);
        const float *dy = a.floats(2) + ((b * groups + group) * O * height + line) * width;
        add_products<N>(dy, O, height * width, values, (end - line) * width, sums);
      }
    }
    float *dweights = a.floats(4) + group * O * num_columns + first;
    for (int64_t o = 0; o < O; o++) std::copy_n(sums + o * N * WIDTH, count, dweights + o * num_columns);
  }
};

void backward(const Arguments &a) {
  const Conv conv{a};
  const int64_t num_parts = (conv.num_columns + COLUMNS - 1) / COLUMNS;  // of a group
  parallel_for(conv.groups * num_parts, COLUMNS * conv.O, [&](int64_t number) {
    const int64_t group = number / num_parts, first = number % num_parts * COLUMNS;
    const int64_t count = std::min(COLUMNS, conv.num_columns - first);
    if (count <= WIDTH)
      conv.part<1>(group, first, count);
    else if (count <= 2 * WIDTH)
      conv.part<2>(group, first, count);
    else
      conv.part<3>(group, first, count);
  });
}

}  // namespace

KERNEL(conv_weight_gradient, backward)
