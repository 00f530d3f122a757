// Grouped 3x3 convolution of stride 1 and padding 1, a part for each group, which takes as many images at a time as stay
// in the cache.
#include "arguments.h"
#include "parallel.h"
#include "shifted_rows.h"

#include <algorithm>
#include <vector>

namespace {

constexpr int64_t NUMBERS_AT_ONCE = 32768;  // of a map's group
constexpr int64_t STRETCH = 64 * WIDTH;     // positions whose numbers stay in the first cache

const Vector *vectors(const float *numbers) { return reinterpret_cast<const Vector *>(numbers); }

// Packed inputs, weights by (block of OUTPUTS, input, tap, output of the block) -> rows of size().
void convolve(const Rows &rows, const float *x, const float *weights, int64_t num_in, int64_t num_out, float *y) {
  for (int64_t position = 0; position < rows.size(); position += TILE)
    for (int64_t first = 0; first < num_out; first += OUTPUTS) {
      Vector sums[OUTPUTS][VECTORS] = {};
      const float *weight = weights + first * num_in * 9;
      for (int64_t i = 0; i < num_in; i++)
        for (int tap = 0; tap < 9; tap++, weight += OUTPUTS) {
          const Vector *values = vectors(x + i * rows.length() + position + rows.shift(tap));
          for (int o = 0; o < OUTPUTS; o++)
            for (int v = 0; v < VECTORS; v++) sums[o][v] += values[v] * weight[o];
        }
      for (int o = 0; o < OUTPUTS; o++)
        for (int v = 0; v < VECTORS; v++)
          *reinterpret_cast<Vector *>(y + (first + o) * rows.size() + position + WIDTH * v) = sums[o][v];
    }
}

// Weights (outputs, inputs, 9) of a group; `turned`: those of the gradient, by 180 degrees and from outputs to inputs.
void arrange(const float *weights, int64_t num_in, int64_t num_out, bool turned, float *result) {
  for (int64_t o = 0; o < num_out; o++)
    for (int64_t i = 0; i < num_in; i++)
      for (int tap = 0; tap < 9; tap++)
        result[((o / OUTPUTS * num_in + i) * 9 + tap) * OUTPUTS + o % OUTPUTS] =
            turned ? weights[(i * num_out + o) * 9 + 8 - tap] : weights[(o * num_in + i) * 9 + tap];
}

// Weights (outputs, inputs, 9) += products of dy with x at each tap, summed over STRETCH positions.
void add_products(const Rows &rows, const float *x, const float *dy, int64_t num_in, int64_t num_out, int64_t start,
                  float *dweights) {
  const int64_t end = std::min(start + STRETCH, rows.size());
  for (int64_t first = 0; first < num_out; first += OUTPUTS)
    for (int64_t i = 0; i < num_in; i += INPUTS)
      for (int line = 0; line < 9; line += 3) {
        Vector products[OUTPUTS][INPUTS][3] = {};
        for (int64_t position = start; position < end; position += WIDTH) {
          Vector values[INPUTS][3];
          for (int n = 0; n < INPUTS; n++)
            for (int tap = 0; tap < 3; tap++)
              values[n][tap] = loaded(x + (i + n) * rows.length() + position + rows.shift(line + tap));
          for (int o = 0; o < OUTPUTS; o++) {
            const Vector slope = *vectors(dy + (first + o) * rows.length() + rows.margin() + position);
            for (int n = 0; n < INPUTS; n++)
              for (int tap = 0; tap < 3; tap++) products[o][n][tap] += slope * values[n][tap];
          }
        }
        for (int o = 0; o < OUTPUTS; o++)
          for (int n = 0; n < INPUTS; n++)
            for (int tap = 0; tap < 3; tap++)
              dweights[((first + o) * num_in + i + n) * 9 + line + tap] += sum(products[o][n][tap]);
      }
}

// Space of a thread, kept for its next part: fresh pages cost as much as a tenth of the work.
struct Space {
  std::vector<float> x, y, weights;

  // A place for `count` numbers, whatever they are.
  static float *place(std::vector<float> &space, int64_t count) {
    if (space.size() < static_cast<size_t>(count)) space.resize(count);
    return space.data();
  }
};

Space &space() {
  static thread_local Space own;
  return own;
}

// The convolution: x (B, C, H, W), weights (O, C / groups, 3, 3), y (B, O, H, W).
struct Conv {
  const int64_t B, C, H, W, O, num_in, groups = C / num_in, num_out = O / groups;
  const int64_t num_weights = num_out * num_in * 9;  // of a group

  explicit Conv(const Arguments &a)
      : B(a.size(0, 0)), C(a.size(0, 1)), H(a.size(0, 2)), W(a.size(0, 3)), O(a.size(1, 0)), num_in(a.size(1, 1)) {}

  // Where a group begins in image b of a map of C or O channels.
  int64_t input(int64_t b, int64_t g) const { return (b * C + g * num_in) * H * W; }
  int64_t output(int64_t b, int64_t g) const { return (b * O + g * num_out) * H * W; }

  // Call work(rows, b) for each few images, from number b on.
  template <typename Work>
  void over_images(Work work) const {
    const int64_t numbers = std::max(num_in, num_out) * Rows{1, H, W}.image();
    const int64_t step = std::min(std::max<int64_t>(NUMBERS_AT_ONCE / numbers, 1), B);
    for (int64_t b = 0; b < B; b += step) work(Rows{std::min(step, B - b), H, W}, b);
  }
};

// Inputs x, weights. Output y.
void forward(const Arguments &a) {
  const Conv conv(a);
  parallel_for(conv.groups, conv.B * conv.H * conv.W * conv.num_in * conv.num_out, [&](int64_t g) {
    float *weights = Space::place(space().weights, conv.num_weights);
    arrange(a.floats(1) + g * conv.num_weights, conv.num_in, conv.num_out, false, weights);
    conv.over_images([&](const Rows &rows, int64_t b) {
      float *x = Space::place(space().x, conv.num_in * rows.length());
      float *y = Space::place(space().y, conv.num_out * rows.size());
      rows.pack(a.floats(0) + conv.input(b, g), conv.C, conv.num_in, x);
      convolve(rows, x, weights, conv.num_in, conv.num_out, y);
      rows.unpack(y, conv.O, conv.num_out, a.floats(2) + conv.output(b, g));
    });
  });
}

// Inputs x, weights, dy. Outputs dx, dweights.
void backward(const Arguments &a) {
  const Conv conv(a);
  parallel_for(conv.groups, 2 * conv.B * conv.H * conv.W * conv.num_in * conv.num_out, [&](int64_t g) {
    float *weights = Space::place(space().weights, conv.num_weights);
    arrange(a.floats(1) + g * conv.num_weights, conv.num_out, conv.num_in, true, weights);
    float *dweights = a.floats(4) + g * conv.num_weights;
    std::fill_n(dweights, conv.num_weights, 0);
    conv.over_images([&](const Rows &rows, int64_t b) {
      float *dy = Space::place(space().y, conv.num_out * rows.length());
      float *x = Space::place(space().x, conv.num_in * rows.length());  // first dx, which is as long at most
      rows.pack(a.floats(2) + conv.output(b, g), conv.O, conv.num_out, dy);
      convolve(rows, dy, weights, conv.num_out, conv.num_in, x);
      rows.unpack(x, conv.C, conv.num_in, a.floats(3) + conv.input(b, g));
      rows.pack(a.floats(0) + conv.input(b, g), conv.C, conv.num_in, x);
      for (int64_t start = 0; start < rows.size(); start += STRETCH)
        add_products(rows, x, dy, conv.num_in, conv.num_out, start, dweights);
    });
  });
}

}  // namespace

KERNEL(grouped_conv, forward)
KERNEL(grouped_conv_backward, backward)
