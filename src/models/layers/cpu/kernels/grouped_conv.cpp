// Grouped 3x3 convolution of padding 1 and stride 1 or 2. A part computes a group, of as many images at a time as stay in
// the cache; of few groups there is a part for each of these times.
#include "arguments.h"
#include "parallel.h"
#include "shifted_rows.h"
#include "space.h"

#include <algorithm>
#include <vector>

namespace {

constexpr int64_t NUMBERS_AT_ONCE = 32768;  // of a map's group
constexpr int64_t FEW = 8;                  // groups
constexpr int64_t STRETCH = 64 * WIDTH;     // positions whose numbers stay in the first cache

// Inputs as rows `step` apart, weights by (block of OUTPUTS, input, tap, output of the block) -> rows of size().
void convolve(const Rows &rows, const Taps &taps, const float *x, int64_t step, const float *weights, int64_t num_in,
              int64_t num_out, float *y) {
  for (int64_t position = 0; position < rows.size(); position += TILE)
    for (int64_t first = 0; first < num_out; first += OUTPUTS) {
      Vector sums[OUTPUTS][VECTORS] = {};
      const float *weight = weights + first * num_in * taps.count;
      for (int64_t i = 0; i < num_in; i++)
        for (int tap = 0; tap < taps.count; tap++, weight += OUTPUTS) {
          const float *values = x + i * step + position + taps.places[tap];
          for (int o = 0; o < OUTPUTS; o++)
            for (int v = 0; v < VECTORS; v++) sums[o][v] += reinterpret_cast<const Vector *>(values)[v] * weight[o];
        }
      for (int o = 0; o < OUTPUTS; o++)
        for (int v = 0; v < VECTORS; v++)
          *reinterpret_cast<Vector *>(y + (first + o) * rows.size() + position + WIDTH * v) = sums[o][v];
    }
}

// Some taps of a group's weights (outputs, inputs, 9), in the order of `convolve`; returns their end.
// of_gradient: to convolve from outputs to inputs.
float *arrange(const float *weights, const Taps &taps, int64_t num_in, int64_t num_out, bool of_gradient, float *result) {
  for (int64_t first = 0; first < num_out; first += OUTPUTS)
    for (int64_t i = 0; i < num_in; i++)
      for (int tap = 0; tap < taps.count; tap++)
        for (int64_t o = first; o < first + OUTPUTS; o++)
          *result++ = weights[(of_gradient ? i * num_out + o : o * num_in + i) * 9 + taps.numbers[tap]];
  return result;
}

// Weights (outputs, inputs, 9) += products of dy with x at each tap, summed over STRETCH positions.
void add_products(const Rows &rows, const Taps &taps, const float *x, int64_t step, const float *dy, int64_t num_in,
                  int64_t num_out, int64_t start, float *dweights) {
  const int64_t end = std::min(start + STRETCH, rows.size());
  for (int64_t first = 0; first < num_out; first += OUTPUTS)
    for (int64_t i = 0; i < num_in; i += INPUTS)
      for (int line = 0; line < 9; line += 3) {
        Vector products[OUTPUTS][INPUTS][3] = {};
        for (int64_t position = start; position < end; position += WIDTH) {
          Vector values[INPUTS][3];
          for (int n = 0; n < INPUTS; n++)
            for (int tap = 0; tap < 3; tap++)
              values[n][tap] = loaded(x + (i + n) * step + position + taps.places[line + tap]);
          for (int o = 0; o < OUTPUTS; o++) {
            const float *slopes = dy + (first + o) * rows.length() + rows.margin() + position;
            for (int n = 0; n < INPUTS; n++)
              for (int tap = 0; tap < 3; tap++)
                products[o][n][tap] += *reinterpret_cast<const Vector *>(slopes) * values[n][tap];
          }
        }
        for (int o = 0; o < OUTPUTS; o++)
          for (int n = 0; n < INPUTS; n++)
            for (int tap = 0; tap < 3; tap++)
              dweights[((first + o) * num_in + i + n) * 9 + line + tap] += sum(products[o][n][tap]);
      }
}

// What a part computes with.
struct Spaces {
  Space x, y, weights;
};

Spaces &spaces() {
  static thread_local Spaces own;
  return own;
}

// The convolution of stride S: x (B, C, H, W), weights (O, C / groups, 3, 3), y (B, O, H / S, W / S).
template <int S>
struct Conv {
  const Map in, out;
  const int64_t B, num_in, groups = in.num_channels / num_in, num_out = out.num_channels / groups;
  const int64_t num_weights = num_out * num_in * 9;  // of a group
  const int64_t step = images_at_once(), num_shares = groups < FEW ? (B + step - 1) / step : 1;

  Conv(const Arguments &a, int y)
      : in{a.size(0, 1), a.size(0, 2), a.size(0, 3)}, out{a.size(y, 1), a.size(y, 2), a.size(y, 3)}, B(a.size(0, 0)),
        num_in(a.size(1, 1)) {}

  int64_t images_at_once() const {
    const int64_t numbers = std::max(num_in * S * S, num_out) * Rows{1, out.height, out.width}.image();
    return std::min(std::max<int64_t>(NUMBERS_AT_ONCE / numbers, 1), B);
  }

  // Call work(group, share of the images) for all parts.
  template <typename Work>
  void for_parts(int64_t factor, Work work) const {
    const int64_t size = factor * B * out.height * out.width * num_in * num_out / num_shares;
    parallel_for(groups * num_shares, size, [&](int64_t part) { work(part / num_shares, part % num_shares); });
  }

  // Call work(rows, b) for each few images of a share, from number b on.
  template <typename Work>
  void over_images(int64_t share, Work work) const {
    const int64_t end = num_shares == 1 ? B : std::min((share + 1) * step, B);
    for (int64_t b = share * step; b < end; b += step) work(Rows{std::min(step, end - b), out.height, out.width}, b);
  }
};

// Inputs x, weights. Output y.
template <int S>
void forward(const Arguments &a) {
  const Conv<S> conv(a, 2);
  conv.for_parts(1, [&](int64_t g, int64_t share) {
    float *weights = spaces().weights.place(conv.num_weights);
    const float *own = a.floats(1) + g * conv.num_weights;
    arrange(own, Taps::of_input<S>(Rows{}), conv.num_in, conv.num_out, false, weights);
    conv.over_images(share, [&](const Rows &rows, int64_t b) {
      const int64_t step = S * S * rows.length();
      float *x = spaces().x.place(conv.num_in * step);
      float *y = spaces().y.place(conv.num_out * rows.size());
      rows.pack<S>(a.floats(0) + conv.in.start(b, g * conv.num_in), conv.in, conv.num_in, x);
      convolve(rows, Taps::of_input<S>(rows), x, step, weights, conv.num_in, conv.num_out, y);
      rows.unpack(y, Phase<1>(conv.out, 0), conv.num_out, a.floats(2) + conv.out.start(b, g * conv.num_out));
    });
  });
}

// Inputs x, weights, dy. Outputs dx, dweights.
template <int S>
void backward(const Arguments &a) {
  const Conv<S> conv(a, 2);
  const int64_t num_weights = conv.groups * conv.num_weights;
  std::vector<float> others((conv.num_shares - 1) * num_weights);  // dweights of all shares but the first
  conv.for_parts(2, [&](int64_t g, int64_t share) {
    float *weights = spaces().weights.place(conv.num_weights), *end = weights;
    for (int phase = 0; phase < S * S; phase++) {
      const Taps taps = Taps::of_gradient<S>(Rows{}, phase);
      end = arrange(a.floats(1) + g * conv.num_weights, taps, conv.num_out, conv.num_in, true, end);
    }
    float *dweights = (share == 0 ? a.floats(4) : &others[(share - 1) * num_weights]) + g * conv.num_weights;
    std::fill_n(dweights, conv.num_weights, 0);
    conv.over_images(share, [&](const Rows &rows, int64_t b) {
      const int64_t step = S * S * rows.length(), start = conv.in.start(b, g * conv.num_in);
      float *dy = spaces().y.place(conv.num_out * rows.length());
      float *x = spaces().x.place(conv.num_in * step);  // first a phase of dx, which is shorter
      rows.pack<1>(a.floats(2) + conv.out.start(b, g * conv.num_out), conv.out, conv.num_out, dy);
      const float *weight = weights;
      for (int phase = 0; phase < S * S; phase++) {
        const Taps taps = Taps::of_gradient<S>(rows, phase);
        convolve(rows, taps, dy, rows.length(), weight, conv.num_out, conv.num_in, x);
        rows.unpack(x, Phase<S>(conv.in, phase), conv.num_in, a.floats(3) + start);
        weight += conv.num_in * conv.num_out * taps.count;
      }
      rows.pack<S>(a.floats(0) + start, conv.in, conv.num_in, x);
      const Taps taps = Taps::of_input<S>(rows);
      for (int64_t position = 0; position < rows.size(); position += STRETCH)
        add_products(rows, taps, x, step, dy, conv.num_in, conv.num_out, position, dweights);
    });
  });
  for (int64_t share = 1; share < conv.num_shares; share++)
    for (int64_t i = 0; i < num_weights; i++) a.floats(4)[i] += others[(share - 1) * num_weights + i];
}

}  // namespace

KERNEL(grouped_conv, forward<1>)
KERNEL(grouped_conv_backward, backward<1>)
KERNEL(grouped_conv_of_stride_2, forward<2>)
KERNEL(grouped_conv_of_stride_2_backward, backward<2>)
