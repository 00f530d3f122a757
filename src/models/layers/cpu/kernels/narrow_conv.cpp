// 3x3 convolution of stride 1 and padding 1 with few channels, line by line of the maps: a line of all channels stays in
// the cache, and each of the 9 taps is a product of small matrices.
#include "arguments.h"
#include "parallel.h"
#include "small_matrix.h"

#include <vector>

namespace {

constexpr int64_t LINES = 16;  // of a part

struct Shape {
  int64_t num_images, num_in, num_out, height, width, strips;

  Shape(const Arguments &a)
      : num_images(a.size(0, 0)), num_in(a.size(0, 1)), num_out(a.size(1, 0)), height(a.size(0, 2)),
        width(a.size(0, 3)), strips((height + LINES - 1) / LINES) {}
  int64_t size() const { return height * width; }
  int64_t num_parts() const { return num_images * strips; }
  // Call work(part, image, first line, line behind the last) for all parts.
  template <typename Work>
  void for_parts(const Work &work) const {
    parallel_for(num_parts(), LINES * width * num_in * num_out, [&](int64_t part) {
      const int64_t first = part % strips * LINES;
      work(part, part / strips, first, std::min(first + LINES, height));
    });
  }
};

// The three lines that a line of outputs depends on, of which each next one replaces the oldest.
class Window {
 public:
  Window(const Shape &shape, int64_t line_size) : shape(shape), size(line_size), numbers(3 * line_size + LANES) {}
  // Lines are numbered from -1 on; those outside the map are zeros.
  float *line(int64_t number) { return &numbers[(number + 3) % 3 * size]; }
  // Where to write the line, emptied; nullptr if it is outside.
  float *emptied(int64_t number) {
    std::fill_n(line(number), size, 0);
    return number < 0 || number >= shape.height ? nullptr : line(number);
  }

 private:
  const Shape &shape;
  int64_t size;
  std::vector<float> numbers;
};

// The convolution of x (B, num_in, H, W) by weights (9, num_out, num_in) -> y (B, num_out, H, W).
void convolve(const Shape &s, const float *x, const float *weights, int64_t num_in, int64_t num_out, float *y) {
  const int64_t length = padded(s.width + 2);
  s.for_parts([&](int64_t, int64_t image, int64_t first, int64_t end) {
    Window window(s, num_in * length);
    const auto load = [&](int64_t number) {
      if (float *line = window.emptied(number))
        for (int64_t i = 0; i < num_in; i++)
          copy_few(x + (image * num_in + i) * s.size() + number * s.width, line + i * length + 1, s.width);
    };
    std::vector<float> outputs(num_out * length);
    load(first - 1);
    load(first);
    for (int64_t h = first; h < end; h++) {
      load(h + 1);
      std::fill(outputs.begin(), outputs.end(), 0);
      for (int tap = 0; tap < 9; tap++)
        multiply<true>({weights + tap * num_out * num_in, num_in, 1}, window.line(h - 1 + tap / 3) + tap % 3,
                       outputs.data(), num_out, num_in, length);
      for (int64_t o = 0; o < num_out; o++)
        copy_few(&outputs[o * length], y + (image * num_out + o) * s.size() + h * s.width, s.width);
    }
  });
}

// Inputs x (B, C, H, W), weights (O, C, 3, 3). Output y (B, O, H, W).
void forward(const Arguments &a) {
  const Shape s(a);
  std::vector<float> weights(9 * s.num_out * s.num_in);
  for (int64_t i = 0; i < s.num_out * s.num_in; i++)
    for (int tap = 0; tap < 9; tap++) weights[tap * s.num_out * s.num_in + i] = a.floats(1)[i * 9 + tap];
  convolve(s, a.floats(0), weights.data(), s.num_in, s.num_out, a.floats(2));
}

// dx is the convolution of dy by the weights turned by 180 degrees, from outputs to inputs.
void input_gradient(const Shape &s, const float *weights, const float *dy, float *dx) {
  std::vector<float> turned(9 * s.num_in * s.num_out);
  for (int64_t o = 0; o < s.num_out; o++)
    for (int64_t i = 0; i < s.num_in; i++)
      for (int tap = 0; tap < 9; tap++)
        turned[((8 - tap) * s.num_in + i) * s.num_out + o] = weights[(o * s.num_in + i) * 9 + tap];
  convolve(s, dy, turned.data(), s.num_out, s.num_in, dx);
}

// At each tap, the products of dy and x summed over all positions: by parts, whatever thread does them.
void weight_gradient(const Shape &s, const float *x, const float *dy, float *dweights) {
  const int64_t row = padded(s.num_in), of_part = 9 * s.num_out * row;
  std::vector<float> sums(s.num_parts() * of_part);
  s.for_parts([&](int64_t part, int64_t image, int64_t first, int64_t end) {
    Window window(s, (s.width + 2) * row);
    const auto load = [&](int64_t number) {
      if (float *line = window.emptied(number))
        copy_transposed(x + image * s.num_in * s.size() + number * s.width, s.size(), line + row, s.num_in, s.width);
    };
    load(first - 1);
    load(first);
    for (int64_t h = first; h < end; h++) {
      load(h + 1);
      const Factor slopes{dy + image * s.num_out * s.size() + h * s.width, s.size(), 1};
      for (int tap = 0; tap < 9; tap++)
        multiply<true>(slopes, window.line(h - 1 + tap / 3) + tap % 3 * row,
                       &sums[part * of_part + tap * s.num_out * row], s.num_out, s.width, row);
    }
  });
  std::fill_n(dweights, s.num_out * s.num_in * 9, 0);
  for (int64_t part = 0; part < s.num_parts(); part++)
    for (int tap = 0; tap < 9; tap++)
      for (int64_t o = 0; o < s.num_out; o++)
        for (int64_t i = 0; i < s.num_in; i++)
          dweights[(o * s.num_in + i) * 9 + tap] += sums[part * of_part + (tap * s.num_out + o) * row + i];
}

// Inputs x, weights, dy (B, O, H, W). Outputs dx, dweights.
void backward(const Arguments &a) {
  const Shape s(a);
  input_gradient(s, a.floats(1), a.floats(2), a.floats(3));
  weight_gradient(s, a.floats(0), a.floats(2), a.floats(4));
}

}  // namespace

KERNEL(narrow_conv, forward)
KERNEL(narrow_conv_backward, backward)
