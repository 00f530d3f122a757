// Max-pool of 3x3 windows of stride 2, a part for each channel of an image; which number of a window has won is kept.
// As in PyTorch the first of equal numbers wins, and a NaN over all others, the last of several.
#include "arguments.h"
#include "parallel.h"
#include "vectors.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <vector>

namespace {

constexpr int SIDE = 3, STRIDE = 2, TAPS = SIDE * SIDE;
constexpr float LEAST = -std::numeric_limits<float>::infinity();
typedef int32_t Integers __attribute__((vector_size(4 * LANES)));
typedef uint8_t Bytes __attribute__((vector_size(LANES)));

// One axis of a map: window number i begins at number i * STRIDE - before, `before` being 0 or 1.
struct Axis {
  int64_t size, num_windows, before;

  int64_t start(int64_t window) const { return window * STRIDE - before; }
  int64_t first_inside(int64_t window) const { return window == 0 ? before : 0; }  // counted within the window
};

// The axes of a map's lines and columns. Its border, if `same`: as much as the windows need, of two numbers half on
// either side, one alone behind; else one number in front, and behind as many as the windows reach.
struct Windows {
  Axis lines, columns;

  Windows(const int64_t *map, const int64_t *windows, bool same)
      : lines{map[0], windows[0], same ? map[0] % STRIDE : 1}, columns{map[1], windows[1], same ? map[1] % STRIDE : 1} {}

  int64_t size() const { return lines.size * columns.size; }
  int64_t count() const { return lines.num_windows * columns.num_windows; }
};

// A channel of an image, the least number all around. Of each line the windows' first and third numbers lie in front and
// their second ones behind, so that those of a tap are side by side.
struct Plane {
  const Windows &windows;
  const int64_t half = (windows.columns.num_windows + LANES) / LANES * LANES, line_size = 2 * half;
  std::vector<float> numbers;

  Plane(const Windows &windows, const float *channel)
      : windows(windows), numbers((windows.lines.num_windows * STRIDE + 1) * line_size + LANES, LEAST) {
    const Axis &lines = windows.lines, &columns = windows.columns;
    for (int64_t i = 0; i < lines.size; i++) {
      float *const front = &numbers[(i + lines.before) * line_size], *const behind = front + half;
      split(channel + i * columns.size, columns.size, columns.before ? behind : front, columns.before ? front + 1 : behind);
    }
  }

  static void split(const float *line, int64_t size, float *__restrict even, float *__restrict odd) {
    for (int64_t j = 0; j < size / 2; j++) even[j] = line[2 * j], odd[j] = line[2 * j + 1];
    if (size % 2) even[size / 2] = line[size - 1];
  }

  // Windows j ... j + LANES - 1 of line i: largest numbers, and which of the windows' they are.
  void find(int64_t i, int64_t j, Lanes &largest, Integers &winners) const {
    const float *start = &numbers[i * STRIDE * line_size + j];
    largest = LEAST + Lanes{};
    winners = static_cast<int32_t>(SIDE * windows.lines.first_inside(i)) + Integers{};
    winners[0] += windows.columns.first_inside(j);
    for (int tap = 0; tap < TAPS; tap++) {
      const int row = tap / SIDE, column = tap % SIDE;
      const Lanes tried = *reinterpret_cast<const Lanes *>(start + row * line_size + column % 2 * half + column / 2);
      const Integers wins = (tried > largest) | (tried != tried);
      largest = wins ? tried : largest;
      winners = wins ? Integers{} + tap : winners;
    }
  }
};

// The first `count` of LANES numbers.
template <typename Vector, typename Number>
void store(const Vector &numbers, int64_t count, Number *to) {
  if (count == LANES)
    std::memcpy(to, &numbers, sizeof numbers);
  else
    std::copy_n(reinterpret_cast<const Number *>(&numbers), count, to);
}

// Input x (B, C, H, W). Outputs y, winners (B, C, H', W'), a tensor for its shape.
template <bool same>
void forward(const Arguments &a) {
  const Windows windows(a.shapes[0] + 2, a.shapes[1] + 2, same);
  const int64_t width = windows.columns.num_windows;
  parallel_for(a.size(0, 0) * a.size(0, 1), windows.size(), [&](int64_t part) {
    const Plane plane(windows, a.floats(0) + part * windows.size());
    for (int64_t i = 0; i < windows.lines.num_windows; i++)
      for (int64_t j = 0; j < width; j += LANES) {
        const int64_t place = part * windows.count() + i * width + j, count = std::min(LANES, width - j);
        Lanes largest;
        Integers winners;
        plane.find(i, j, largest, winners);
        store(largest, count, a.floats(1) + place);
        store(__builtin_convertvector(winners, Bytes), count, a.bytes(2) + place);
      }
  });
}

// Inputs winners, a tensor of shape (H, W), dy. Output dx (B, C, H, W).
template <bool same>
void backward(const Arguments &a) {
  const Windows windows(a.shapes[1], a.shapes[0] + 2, same);
  const Axis &lines = windows.lines, &columns = windows.columns;
  int64_t offsets[TAPS];
  for (int tap = 0; tap < TAPS; tap++) offsets[tap] = tap / SIDE * columns.size + tap % SIDE;
  parallel_for(a.size(0, 0) * a.size(0, 1), windows.size(), [&](int64_t part) {
    const uint8_t *winners = a.bytes(0) + part * windows.count();
    const float *dy = a.floats(2) + part * windows.count();
    float *dx = a.floats(3) + part * windows.size();
    std::fill_n(dx, windows.size(), 0);
    for (int64_t i = 0; i < lines.num_windows; i++)
      for (int64_t j = 0; j < columns.num_windows; j++)
        dx[lines.start(i) * columns.size + columns.start(j) + offsets[*winners++]] += *dy++;
  });
}

}  // namespace

KERNEL(max_pool_pad, forward<false>)
KERNEL(max_pool_pad_backward, backward<false>)
KERNEL(max_pool_ceil, forward<false>)
KERNEL(max_pool_ceil_backward, backward<false>)
KERNEL(max_pool_same, forward<true>)
KERNEL(max_pool_same_backward, backward<true>)
