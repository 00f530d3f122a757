// Gradient of a convolution's weights: products of dy with the input at each tap, summed over images and positions.
// Letters: C channels of x, O of y. A column is a channel of x at a tap; a part computes COLUMNS of them for all O, and
// needs memory for some lines of an image at a time.
#include "arguments.h"
#include "matrix.h"
#include "parallel.h"

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

  // Their values at the positions of a line of y, `width` numbers long -> (width, COLUMNS).
  void lay(int64_t line, int64_t width, float *values) const {
    const float *start = channels + line * windows.stride * windows.padded_width();
    for (int64_t j = 0; j < count; j++) {
      const int64_t channel = (first + j) / windows.num_taps(), tap = (first + j) % windows.num_taps();
      const float *column = start + (channel - first_channel) * windows.padded_size() + windows.shift(tap);
      for (int64_t x = 0; x < width; x++) values[x * COLUMNS + j] = column[x * windows.stride];
    }
  }
};

// sums (O, COLUMNS) += rows of dy, `step` numbers apart, times columns (depth, COLUMNS).
void add_products(const float *dy, int64_t O, int64_t step, const float *columns, int64_t depth, float *sums) {
  for (int64_t row = 0; row < O; row += ROWS) {
    const float *rows[ROWS];
    for (int64_t i = 0; i < ROWS; i++) rows[i] = dy + std::min(row + i, O - 1) * step;
    float products[ROWS * COLUMNS];
    multiply_tile(rows, columns, depth, products);
    for (int64_t i = 0; i < std::min(ROWS, O - row) * COLUMNS; i++) sums[row * COLUMNS + i] += products[i];
  }
}

// Space of a thread for as many numbers, kept for its next part: fresh pages cost as much as a tenth of the work.
struct Space {
  std::vector<float> values, sums;
};

// Inputs x, weights (O, C, side, side), dy, a tensor of shape (stride, dilation). Output dweights.
void backward(const Arguments &a) {
  const int64_t B = a.size(0, 0), C = a.size(0, 1), O = a.size(1, 0), side = a.size(1, 2), stride = a.size(3, 0);
  const bool joined = side == 1 && stride == 1;  // lines side by side are one
  const auto lines = [&](int64_t map) { return joined ? 1 : a.size(map, 2); };
  const auto line = [&](int64_t map) { return joined ? a.size_from(map, 2) : a.size(map, 3); };
  const Windows windows{lines(0), line(0), side, stride, a.size(3, 1)};
  const int64_t height = lines(2), width = line(2), num_lines = std::max<int64_t>(1, POSITIONS / width);
  const int64_t num_columns = C * windows.num_taps();
  parallel_for((num_columns + COLUMNS - 1) / COLUMNS, COLUMNS * O, [&](int64_t part) {
    Columns columns(windows, part * COLUMNS, std::min(COLUMNS, num_columns - part * COLUMNS));
    static thread_local Space space;
    space.values.resize(num_lines * width * COLUMNS);
    space.sums.assign(O * COLUMNS, 0);
    float *values = space.values.data(), *sums = space.sums.data();
    for (int64_t b = 0; b < B; b++) {
      columns.read(a.floats(0) + b * a.size_from(0, 1));
      for (int64_t first = 0; first < height; first += num_lines) {
        const int64_t count = std::min(num_lines, height - first);
        for (int64_t i = 0; i < count; i++) columns.lay(first + i, width, values + i * width * COLUMNS);
        const float *dy = a.floats(2) + (b * O * height + first) * width;
        add_products(dy, O, height * width, values, count * width, sums);
      }
    }
    float *dweights = a.floats(4) + columns.first;
    for (int64_t o = 0; o < O; o++) std::copy_n(sums + o * COLUMNS, columns.count, dweights + o * num_columns);
  });
}

}  // namespace

KERNEL(conv_weight_gradient, backward)
