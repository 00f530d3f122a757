// tanh-GELU of the sum of two maps (B, C, H, W), from channels to tokens (B, N, C) in an order of their own.
// The backward pass computes the slope again, so that nothing is kept.
#include "activations.h"
#include "arguments.h"
#include "parallel.h"

#include <vector>

namespace {

constexpr int64_t PIXELS = 64;  // whose channels are in the cache

struct Shape {
  int64_t num_images, num_channels, size, blocks;  // size: pixels of an image

  Shape(const Arguments &a)
      : num_images(a.size(0, 0)), num_channels(a.size(0, 1)), size(a.size_from(0, 2)),
        blocks((size + PIXELS - 1) / PIXELS) {}
  // Call work(image, first, count) for stretches of pixels; addends: about how many numbers each of them brings.
  template <typename Work>
  void for_stretches(const Work &work) const {
    parallel_for(num_images * blocks, 4 * PIXELS * num_channels, [&](int64_t part) {
      const int64_t first = part % blocks * PIXELS;
      work(part / blocks, first, std::min(PIXELS, size - first));
    });
  }
};

// Inputs two maps, the tokens' places by pixel (N,). Output tokens.
void forward(const Arguments &a) {
  const Shape s(a);
  s.for_stretches([&](int64_t image, int64_t first, int64_t count) {
    std::vector<float> values(s.num_channels * PIXELS);
    for (int64_t c = 0; c < s.num_channels; c++) {
      const int64_t start = (image * s.num_channels + c) * s.size + first;
      const float *x = a.floats(0) + start, *y = a.floats(1) + start;
      for (int64_t i = 0; i < count; i++) values[c * PIXELS + i] = activated<TANH_GELU>(x[i] + y[i]);
    }
    for (int64_t i = 0; i < count; i++) {
      float *token = a.floats(3) + (image * s.size + a.integers(2)[first + i]) * s.num_channels;
      for (int64_t c = 0; c < s.num_channels; c++) token[c] = values[c * PIXELS + i];
    }
  });
}

// Inputs two maps, places, dtokens. Output the gradient of either map.
void backward(const Arguments &a) {
  const Shape s(a);
  s.for_stretches([&](int64_t image, int64_t first, int64_t count) {
    std::vector<float> gradients(s.num_channels * PIXELS);
    for (int64_t i = 0; i < count; i++) {
      const float *token = a.floats(3) + (image * s.size + a.integers(2)[first + i]) * s.num_channels;
      for (int64_t c = 0; c < s.num_channels; c++) gradients[c * PIXELS + i] = token[c];
    }
    for (int64_t c = 0; c < s.num_channels; c++) {
      const int64_t start = (image * s.num_channels + c) * s.size + first;
      const float *x = a.floats(0) + start, *y = a.floats(1) + start;
      float *dx = a.floats(4) + start;
      for (int64_t i = 0; i < count; i++) dx[i] = gradients[c * PIXELS + i] * slope<TANH_GELU>(x[i] + y[i]);
    }
  });
}

}  // namespace

KERNEL(gelu_tokens, forward)
KERNEL(gelu_tokens_backward, backward)
