// Grouped 3x3 convolution of stride 1 and padding 1, a part for each group.
// A channel of all images lies as one row of numbers: lines of W numbers and a zero, images with a line of zeros after
// each, and zeros before and behind. Each of the 9 taps is then the same row, shifted.
#include "arguments.h"
#include "parallel.h"
#include "vectors.h"

#include <algorithm>
#include <vector>

namespace {

#ifdef __AVX512F__
constexpr int OUTPUTS = 4, VECTORS = 4;  // of a tile: as many sums as the registers hold
#else
constexpr int OUTPUTS = 4, VECTORS = 2;
#endif
constexpr int64_t TILE = WIDTH * VECTORS;

struct Rows {
  int64_t num_images, height, width;

  int64_t line() const { return width + 1; }
  int64_t image() const { return (height + 1) * line(); }
  int64_t size() const { return (num_images * image() + TILE - 1) / TILE * TILE; }  // without the zeros around
  int64_t margin() const { return line() + 1; }
  int64_t length() const { return size() + 2 * margin(); }
  int64_t shift(int tap) const { return (tap / 3) * line() + tap % 3; }  // 0 is margin() numbers before the row

  // Channels first ... first + count - 1 of a map (B, num_channels, H, W) -> rows of length().
  std::vector<float> packed(const float *map, int64_t num_channels, int64_t first, int64_t count) const {
    std::vector<float> rows(count * length());
    for (int64_t c = 0; c < count; c++)
      for (int64_t b = 0; b < num_images; b++)
        for (int64_t h = 0; h < height; h++)
          std::copy_n(map + ((b * num_channels + first + c) * height + h) * width, width,
                      &rows[c * length() + margin() + b * image() + h * line()]);
    return rows;
  }

  // Rows of size() -> channels of a map.
  void unpack(const std::vector<float> &rows, int64_t num_channels, int64_t first, int64_t count, float *map) const {
    for (int64_t c = 0; c < count; c++)
      for (int64_t b = 0; b < num_images; b++)
        for (int64_t h = 0; h < height; h++)
          std::copy_n(&rows[c * size() + b * image() + h * line()], width,
                      map + ((b * num_channels + first + c) * height + h) * width);
  }
};

const Vector *vectors(const float *numbers) { return reinterpret_cast<const Vector *>(numbers); }

// Packed inputs, weights by (block of OUTPUTS, input, tap, output of the block) -> rows of size().
std::vector<float> convolved(const Rows &rows, const std::vector<float> &x, const std::vector<float> &weights,
                             int64_t num_in, int64_t num_out) {
  std::vector<float> y(num_out * rows.size());
  for (int64_t position = 0; position < rows.size(); position += TILE)
    for (int64_t first = 0; first < num_out; first += OUTPUTS) {
      Vector sums[OUTPUTS][VECTORS] = {};
      const float *weight = &weights[first * num_in * 9];
      for (int64_t i = 0; i < num_in; i++)
        for (int tap = 0; tap < 9; tap++, weight += OUTPUTS) {
          const Vector *values = vectors(&x[i * rows.length() + position + rows.shift(tap)]);
          for (int o = 0; o < OUTPUTS; o++)
            for (int v = 0; v < VECTORS; v++) sums[o][v] += values[v] * weight[o];
        }
      for (int o = 0; o < OUTPUTS; o++)
        for (int v = 0; v < VECTORS; v++)
          *reinterpret_cast<Vector *>(&y[(first + o) * rows.size() + position + WIDTH * v]) = sums[o][v];
    }
  return y;
}

// Weights (outputs, inputs, 9) of a group; `turned`: those of the gradient, by 180 degrees and from outputs to inputs.
std::vector<float> arranged(const float *weights, int64_t num_in, int64_t num_out, bool turned) {
  std::vector<float> result(num_in * num_out * 9);
  for (int64_t o = 0; o < num_out; o++)
    for (int64_t i = 0; i < num_in; i++)
      for (int tap = 0; tap < 9; tap++)
        result[((o / OUTPUTS * num_in + i) * 9 + tap) * OUTPUTS + o % OUTPUTS] =
            turned ? weights[(i * num_out + o) * 9 + 8 - tap] : weights[(o * num_in + i) * 9 + tap];
  return result;
}

// Inputs x (B, C, H, W), weights (O, C / groups, 3, 3). Output y (B, O, H, W).
void forward(const Arguments &a) {
  const Rows rows{a.size(0, 0), a.size(0, 2), a.size(0, 3)};
  const int64_t C = a.size(0, 1), O = a.size(1, 0), num_in = a.size(1, 1), groups = C / num_in, num_out = O / groups;
  parallel_for(groups, rows.size() * num_in * num_out, [&](int64_t g) {
    const auto weights = arranged(a.floats(1) + g * num_out * num_in * 9, num_in, num_out, false);
    const auto x = rows.packed(a.floats(0), C, g * num_in, num_in);
    rows.unpack(convolved(rows, x, weights, num_in, num_out), O, g * num_out, num_out, a.floats(2));
  });
}

// A group's dweights (outputs, inputs, 9): products of dy with x at each tap, summed over all positions.
void weight_gradient(const Rows &rows, const std::vector<float> &x, const std::vector<float> &dy, int64_t num_in,
                     int64_t num_out, float *dweights) {
  for (int64_t first = 0; first < num_out; first += OUTPUTS)
    for (int64_t i = 0; i < num_in; i++)
      for (int line = 0; line < 9; line += 3) {
        Vector sums[OUTPUTS][3] = {};
        for (int64_t position = 0; position < rows.size(); position += WIDTH)
          for (int o = 0; o < OUTPUTS; o++) {
            const Vector slope = *vectors(&dy[(first + o) * rows.length() + rows.margin() + position]);
            for (int tap = 0; tap < 3; tap++)
              sums[o][tap] += slope * *vectors(&x[i * rows.length() + position + rows.shift(line + tap)]);
          }
        for (int o = 0; o < OUTPUTS; o++)
          for (int tap = 0; tap < 3; tap++) {
            float sum = 0;
            for (int lane = 0; lane < WIDTH; lane++) sum += sums[o][tap][lane];
            dweights[((first + o) * num_in + i) * 9 + line + tap] = sum;
          }
      }
}

// Inputs x, weights, dy (B, O, H, W). Outputs dx, dweights.
void backward(const Arguments &a) {
  const Rows rows{a.size(0, 0), a.size(0, 2), a.size(0, 3)};
  const int64_t C = a.size(0, 1), O = a.size(1, 0), num_in = a.size(1, 1), groups = C / num_in, num_out = O / groups;
  parallel_for(groups, 2 * rows.size() * num_in * num_out, [&](int64_t g) {
    const int64_t start = g * num_out * num_in * 9;
    const auto dy = rows.packed(a.floats(2), O, g * num_out, num_out);
    const auto weights = arranged(a.floats(1) + start, num_out, num_in, true);
    rows.unpack(convolved(rows, dy, weights, num_out, num_in), C, g * num_in, num_in, a.floats(3));
    const auto x = rows.packed(a.floats(0), C, g * num_in, num_in);
    weight_gradient(rows, x, dy, num_in, num_out, a.floats(4) + start);
  });
}

}  // namespace

KERNEL(grouped_conv, forward)
KERNEL(grouped_conv_backward, backward)
