// Attention of rows, one for each head of each node, to 9 samples around the node, between the pixels of a map.
// Letters: B images, N nodes, heads; rows node by node and head by head, d channels each.
#include "activations.h"
#include "arguments.h"
#include "parallel.h"
#include "samples.h"

namespace {

constexpr int64_t NODES = 64;  // of a part of the forward pass

struct Shape {
  int64_t num_images, num_nodes, num_heads, width, height, map_width;  // width: of a row
  float scale;

  Shape(const Arguments &a, int sides)
      : num_images(a.size(3, 0)), num_nodes(a.size(3, 1)), num_heads(a.size(3, 2)), width(a.size(0, 1)),
        height(a.integers(sides)[0]), map_width(a.integers(sides)[1]), scale(1 / std::sqrt(static_cast<float>(width))) {}
  int64_t row(int64_t image, int64_t node, int64_t head) const { return (image * num_nodes + node) * num_heads + head; }
};

float product(const float *a, const float *b, int64_t width) {
  float sum = 0;
  for (int64_t i = 0; i < width; i++) sum += a[i] * b[i];
  return sum;
}

void add(float *sum, float factor, const float *values, int64_t width) {
  for (int64_t i = 0; i < width; i++) sum[i] += factor * values[i];
}

void softmax(float *logits) {
  float largest = logits[0], sum = 0;
  for (int tap = 1; tap < TAPS; tap++) largest = std::max(largest, logits[tap]);
  for (int tap = 0; tap < TAPS; tap++) sum += logits[tap] = exp_negative(logits[tap] - largest);
  for (int tap = 0; tap < TAPS; tap++) logits[tap] /= sum;
}

// Inputs q, k, v, offsets, addends of the logits, sides of the map. Outputs mixed, attention.
void forward(const Arguments &a) {
  const Shape shape(a, 5);
  const int64_t num_blocks = (shape.num_nodes + NODES - 1) / NODES, width = shape.width, stride = shape.num_heads * width;
  parallel_for(shape.num_images * shape.num_heads * num_blocks, 2 * 36 * NODES * width, [&](int64_t part) {
    const int64_t first = part % num_blocks * NODES, head = part / num_blocks % shape.num_heads;
    const int64_t image = part / num_blocks / shape.num_heads, table = shape.row(image, 0, head) * width;
    const float *keys = a.floats(1) + table, *values = a.floats(2) + table;
    for (int64_t node = first; node < std::min(first + NODES, shape.num_nodes); node++) {
      const int64_t row = shape.row(image, node, head);
      const float *query = a.floats(0) + row * width;
      float *mixed = a.floats(6) + row * width, *attention = a.floats(7) + row * TAPS;
      Sample samples[TAPS];
      locate(node, shape.height, shape.map_width, a.floats(3) + row * 2 * TAPS, samples);
      for (int tap = 0; tap < TAPS; tap++) {
        float logit = 0;
        for (int corner = 0; corner < 4; corner++)
          logit += samples[tap].weights[corner] * product(query, keys + samples[tap].pixels[corner] * stride, width);
        attention[tap] = shape.scale * logit + a.floats(4)[row * TAPS + tap];
      }
      softmax(attention);
      std::fill_n(mixed, width, 0);
      for (int tap = 0; tap < TAPS; tap++)
        for (int corner = 0; corner < 4; corner++)
          add(mixed, attention[tap] * samples[tap].weights[corner], values + samples[tap].pixels[corner] * stride, width);
    }
  });
}

// Inputs q, k, v, offsets, attention, dmixed, sides. Outputs dq, dk, dv, doffsets, dlogits.
// A part is a head of an image, whose rows add to the gradients of its keys and values one after the other.
void backward(const Arguments &a) {
  const Shape shape(a, 6);
  const int64_t width = shape.width, stride = shape.num_heads * width;
  parallel_for(shape.num_images * shape.num_heads, 4 * 36 * shape.num_nodes * width, [&](int64_t part) {
    const int64_t image = part / shape.num_heads, head = part % shape.num_heads, table = shape.row(image, 0, head) * width;
    const float *keys = a.floats(1) + table, *values = a.floats(2) + table;
    float *dkeys = a.floats(8) + table, *dvalues = a.floats(9) + table;
    for (int64_t node = 0; node < shape.num_nodes; node++) {
      std::fill_n(dkeys + node * stride, width, 0);
      std::fill_n(dvalues + node * stride, width, 0);
    }
    for (int64_t node = 0; node < shape.num_nodes; node++) {
      const int64_t row = shape.row(image, node, head);
      const float *query = a.floats(0) + row * width, *attention = a.floats(4) + row * TAPS;
      const float *dmixed = a.floats(5) + row * width;
      float *dquery = a.floats(7) + row * width, *doffsets = a.floats(10) + row * 2 * TAPS;
      float *dlogits = a.floats(11) + row * TAPS;
      Sample samples[TAPS];
      locate(node, shape.height, shape.map_width, a.floats(3) + row * 2 * TAPS, samples);
      float of_values[TAPS][4], average = 0;
      for (int tap = 0; tap < TAPS; tap++) {
        dlogits[tap] = 0;  // until the average is known, the gradient of the attention
        for (int corner = 0; corner < 4; corner++) {
          const int64_t place = samples[tap].pixels[corner] * stride;
          of_values[tap][corner] = product(dmixed, values + place, width);
          dlogits[tap] += samples[tap].weights[corner] * of_values[tap][corner];
          add(dvalues + place, attention[tap] * samples[tap].weights[corner], dmixed, width);
        }
        average += attention[tap] * dlogits[tap];
      }
      std::fill_n(dquery, width, 0);
      for (int tap = 0; tap < TAPS; tap++) {
        dlogits[tap] = attention[tap] * (dlogits[tap] - average);
        const float slope = shape.scale * dlogits[tap];
        float by_row = 0, by_column = 0;
        for (int corner = 0; corner < 4; corner++) {
          const int64_t place = samples[tap].pixels[corner] * stride;
          const float factor = slope * samples[tap].weights[corner];
          const float dweight = attention[tap] * of_values[tap][corner] + slope * product(query, keys + place, width);
          add(dquery, factor, keys + place, width);
          add(dkeys + place, factor, query, width);
          by_row += dweight * samples[tap].by_row[corner];
          by_column += dweight * samples[tap].by_column[corner];
        }
        doffsets[tap] = by_row, doffsets[TAPS + tap] = by_column;
      }
    }
  });
}

}  // namespace

KERNEL(sampled_mixture, forward)
KERNEL(sampled_mixture_backward, backward)
