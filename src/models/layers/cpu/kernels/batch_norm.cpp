// activation(BatchNorm(x) [+ shortcut]) over (B, C, ...), channel by channel: one is small enough to stay in the cache,
// so that memory is read and written once. Only the channels' means and deviations are kept for the backward pass,
// which computes the normalised values and the activation's slope again.
#include "activations.h"
#include "arguments.h"
#include "parallel.h"

namespace {

struct Shape {
  int64_t num_images, num_channels, size;  // size: of one image's channel

  Shape(const Arguments &a) : num_images(a.size(0, 0)), num_channels(a.size(0, 1)), size(a.size_from(0, 2)) {}
  int64_t count() const { return num_images * size; }
  int64_t start(int64_t image, int64_t channel) const { return (image * num_channels + channel) * size; }
};

// Sum of value(i) over all positions of a channel: float within an image, double over the images.
template <typename Value>
double channel_sum(const Shape &shape, int64_t channel, Value value) {
  double total = 0;
  for (int64_t image = 0; image < shape.num_images; image++) {
    const int64_t start = shape.start(image, channel);
    float sum = 0;
    for (int64_t i = start; i < start + shape.size; i++) sum += value(i);
    total += sum;
  }
  return total;
}

// Inputs x, bias, gamma, beta, moving mean, moving variance, settings [epsilon, rate][, shortcut].
// Outputs y; kept (2, C): mean of x, 1 / deviation.
// The bias is part of the moving mean only: what is normalised, x + bias - mean(x + bias), does not depend on it.
// of_batch: normalise by the batch's own statistics and move the others, in place, by `rate`; else by the moving ones.
template <Activation A, bool of_batch, bool has_shortcut>
void forward(const Arguments &a) {
  const Shape shape(a);
  const float *x = a.floats(0), *bias = a.floats(1), *gamma = a.floats(2), *beta = a.floats(3), *settings = a.floats(6);
  const float *shortcut = has_shortcut ? a.floats(7) : nullptr;
  const int first = has_shortcut ? 8 : 7;
  float *y = a.floats(first), *means = a.floats(first + 1), *scales = means + shape.num_channels;
  parallel_for(shape.num_channels, 4 * shape.count(), [&](int64_t c) {
    float &moving_mean = a.floats(4)[c], &moving_variance = a.floats(5)[c];
    float mean = moving_mean - bias[c], variance = moving_variance;
    if constexpr (of_batch) {
      const double count = shape.count();
      mean = channel_sum(shape, c, [&](int64_t i) { return x[i]; }) / count;
      const double squares = channel_sum(shape, c, [&](int64_t i) { return (x[i] - mean) * (x[i] - mean); });
      variance = squares / count;
      const float unbiased = squares / std::max(count - 1, 1.0);
      moving_mean += settings[1] * (mean + bias[c] - moving_mean);
      moving_variance += settings[1] * (unbiased - moving_variance);
    }
    means[c] = mean;
    scales[c] = 1 / std::sqrt(variance + settings[0]);
    const float factor = gamma[c] * scales[c], offset = beta[c];
    for (int64_t image = 0; image < shape.num_images; image++) {
      const int64_t start = shape.start(image, c);
      for (int64_t i = start; i < start + shape.size; i++) {
        const float normalized = (x[i] - mean) * factor + offset;
        y[i] = activated<A>(has_shortcut ? normalized + shortcut[i] : normalized);
      }
    }
  });
}

// From the gradients g of the normalised values, which lie in dx, the first output: dx itself and the next three, dgamma,
// dbeta and dbias.
// With h = (x - mean) / deviation: dbeta = sum(g), dgamma = sum(g h), dx = gamma / deviation * (g - mean(g) - h mean(g h)).
// dbias = sum(dx), which is 0 where the batch's mean is subtracted.
template <bool of_batch>
void channel_gradients(const Arguments &a, const Shape &shape, int64_t c, const float *x, float mean, float scale,
                       float gamma, float *dx) {
  const double sum = channel_sum(shape, c, [&](int64_t i) { return dx[i]; });
  const double product = channel_sum(shape, c, [&](int64_t i) { return dx[i] * (x[i] - mean); }) * scale;
  const float factor = gamma * scale;
  a.floats(6)[c] = product, a.floats(7)[c] = sum, a.floats(8)[c] = of_batch ? 0 : factor * sum;
  const float average = of_batch ? sum / shape.count() : 0;
  const float slant = of_batch ? product / shape.count() * scale : 0;
  for (int64_t image = 0; image < shape.num_images; image++) {
    const int64_t start = shape.start(image, c);
    for (int64_t i = start; i < start + shape.size; i++) dx[i] = factor * (dx[i] - average - (x[i] - mean) * slant);
  }
}

// Inputs x, gamma, beta, kept, dy. Outputs dx, dgamma, dbeta, dbias.
template <Activation A, bool of_batch>
void backward(const Arguments &a) {
  const Shape shape(a);
  const float *x = a.floats(0), *means = a.floats(3), *scales = means + shape.num_channels, *dy = a.floats(4);
  float *dx = a.floats(5);
  parallel_for(shape.num_channels, 4 * shape.count(), [&](int64_t c) {
    const float mean = means[c], scale = scales[c], gamma = a.floats(1)[c], offset = a.floats(2)[c];
    const float factor = gamma * scale;
    for (int64_t image = 0; image < shape.num_images; image++) {
      const int64_t start = shape.start(image, c);
      for (int64_t i = start; i < start + shape.size; i++) dx[i] = dy[i] * slope<A>((x[i] - mean) * factor + offset);
    }
    channel_gradients<of_batch>(a, shape, c, x, mean, scale, gamma, dx);
  });
}

// relu(BatchNorm(x) + shortcut), whose output y says where it was cut off.
// Inputs x, gamma, kept, y, dy. Outputs dx, dgamma, dbeta, dbias, dshortcut.
template <bool of_batch>
void shortcut_backward(const Arguments &a) {
  const Shape shape(a);
  const float *x = a.floats(0), *means = a.floats(2), *scales = means + shape.num_channels;
  const float *y = a.floats(3), *dy = a.floats(4);
  float *dx = a.floats(5), *dshortcut = a.floats(9);
  parallel_for(shape.num_channels, 5 * shape.count(), [&](int64_t c) {
    for (int64_t image = 0; image < shape.num_images; image++) {
      const int64_t start = shape.start(image, c);
      for (int64_t i = start; i < start + shape.size; i++) dx[i] = dshortcut[i] = y[i] > 0 ? dy[i] : 0;
    }
    channel_gradients<of_batch>(a, shape, c, x, means[c], scales[c], a.floats(1)[c], dx);
  });
}

}  // namespace

#define BATCH_NORM(name, activation)                               \
  KERNEL(name##_of_batch, (forward<activation, true, false>))      \
  KERNEL(name##_of_moving, (forward<activation, false, false>))    \
  KERNEL(name##_of_batch_backward, (backward<activation, true>))   \
  KERNEL(name##_of_moving_backward, (backward<activation, false>))

BATCH_NORM(norm, NONE)
BATCH_NORM(norm_relu, RELU)
BATCH_NORM(norm_gelu, GELU)
BATCH_NORM(norm_tanh_gelu, TANH_GELU)
KERNEL(norm_shortcut_relu_of_batch, (forward<RELU, true, true>))
KERNEL(norm_shortcut_relu_of_moving, (forward<RELU, false, true>))
KERNEL(norm_shortcut_relu_of_batch_backward, shortcut_backward<true>)
KERNEL(norm_shortcut_relu_of_moving_backward, shortcut_backward<false>)
