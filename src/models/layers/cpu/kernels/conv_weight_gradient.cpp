// Gradient of a convolution's weights: products of dy with the input at each tap, summed over images and positions.
// Letters: C channels of x, O of y. A column is a channel of x at a tap; a part computes COLUMNS of them for all O, and
// needs memory for some lines of an image at a time.
#include "arguments.h"
#include "matrix.h"
#include "parallel.h"
#include "space.h"
#include "strided_copy.h"
#include "transpose.h"

#include <algorithm>
#include <vector>

namespace {

constexpr int64_t POSITIONS = 1024;  // of which the columns of a part stay in the cache
constexpr int64_t FEW = 8;           // parts; then each image has parts of its own

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

  // Their values at the positions of some lines of y, `width` numbers long -> (positions, space), space >= count.
  void lay(int64_t line, int64_t num_lines, int64_t width, int64_t space, float *values) const {
    const float *start = channels + line * windows.stride * windows.padded_width();
    if (windows.num_taps() == 1 && windows.stride == 1)
      return transpose(start, windows.padded_size(), count, num_lines * width, values, space);
    static thread_local Space of_rows;
    const int64_t length = num_lines * width, step = length + WIDTH;  // not a power of two, which share places in the cache
    float *rows = of_rows.place(count * step);
    for (int64_t j = 0; j < count; j++) {
      const int64_t channel = (first + j) / windows.num_taps(), tap = (first + j) % windows.num_taps();
      const float *column = start + (channel - first_channel) * windows.padded_size() + windows.shift(tap);
      for (int64_t i = 0; i < num_lines; i++, column += windows.stride * windows.padded_width())
        copy_from_apart(column, windows.stride, rows + j * step + i * width, width);
    }
    transpose(rows, step, count, length, values, space);
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

  // Of some images, up to N vectors of a group's columns, from `first` on -> their sums in weights.
  template <int64_t N>
  void part(int64_t image, int64_t end_image, int64_t group, int64_t first, int64_t count, float *weights) const {
    static thread_local Space of_values, of_sums;
    const int64_t num_lines = std::max<int64_t>(1, POSITIONS / width);
    float *values = of_values.place(num_lines * width * N * WIDTH), *sums = of_sums.place(O * N * WIDTH);
    std::fill_n(sums, O * N * WIDTH, 0);
    Columns columns(windows, first, count);
    for (int64_t b = image; b < end_image; b++) {
      columns.read(a.floats(0) + (b * groups + group) * C * a.size_from(0, 2));
      for (int64_t line = 0; line < height; line += num_lines) {
        const int64_t end = std::min(line + num_lines, height);
        columns.lay(line, end - line, width, N * WIDTH, values);
        const float *dy = a.floats(2) + ((b * groups + group) * O * height + line) * width;
        add_products<N>(dy, O, height * width, values, (end - line) * width, sums);
      }
    }
    float *to = weights + group * O * num_columns + first;
    for (int64_t o = 0; o < O; o++) std::copy_n(sums + o * N * WIDTH, count, to + o * num_columns);
  }
};

void backward(const Arguments &a) {
  const Conv conv{a};
  const int64_t num_parts = conv.groups * ((conv.num_columns + COLUMNS - 1) / COLUMNS);
  const int64_t num_shares = num_parts < FEW ? conv.B : 1, of_share = conv.B / num_shares;
  const int64_t num_weights = a.size_from(1, 0);
  std::vector<float> others((num_shares - 1) * num_weights);  // the weights' gradients of all shares but the first
  const int64_t size = of_share * conv.height * conv.width * (COLUMNS + conv.O);
  parallel_for(num_parts * num_shares, size, [&](int64_t number) {
    const int64_t share = number / num_parts, part = number % num_parts;
    const int64_t group = part % conv.groups, first = part / conv.groups * COLUMNS;
    const int64_t count = std::min(COLUMNS, conv.num_columns - first);
    float *weights = share == 0 ? a.floats(4) : &others[(share - 1) * num_weights];
    const auto work = count <= WIDTH ? &Conv::part<1> : count <= 2 * WIDTH ? &Conv::part<2> : &Conv::part<3>;
    (conv.*work)(share * of_share, (share + 1) * of_share, group, first, count, weights);
  });
  for (int64_t share = 1; share < num_shares; share++)
    for (int64_t i = 0; i < num_weights; i++) a.floats(4)[i] += others[(share - 1) * num_weights + i];
}

}  // namespace

KERNEL(conv_weight_gradient, backward)
