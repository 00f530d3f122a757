// Attention of several heads, from and to the rows that linear layers write: a head is a stretch of each row's channels.
// The backward pass computes the attention again, which is cheaper than to keep it.
// Letters: B images, N queries and M keys of each, C channels.
#include "activations.h"
#include "arguments.h"
#include "parallel.h"
#include "small_matrix.h"

#include <memory>
#include <vector>

namespace {

constexpr int64_t QUERIES = 64;   // whose attention is in the cache
constexpr int64_t LONGEST = 512;  // queries of a part of the forward pass

struct Shape {
  int64_t num_images, num_queries, num_keys, channels, num_heads, width;  // width: channels of a head
  int64_t row, logits;  // numbers of a head's row, and of the logits of a query, in the cache
  float scale;

  // heads: the argument that says their number.
  Shape(const Arguments &a, int heads)
      : num_images(a.size(0, 0)), num_queries(a.size(0, 1)), num_keys(a.size(1, 1)), channels(a.size(0, 2)),
        num_heads(a.integers(heads)[0]), width(channels / num_heads), row(padded(width)), logits(padded(num_keys)),
        scale(1 / std::sqrt(static_cast<float>(width))) {}
  int64_t query(int64_t image, int64_t number, int64_t head) const {
    return (image * num_queries + number) * channels + head * width;
  }
  int64_t key(int64_t image, int64_t head) const { return image * num_keys * channels + head * width; }
};

// Numbers without a value yet.
struct Buffer {
  std::unique_ptr<float[]> numbers;
  explicit Buffer(int64_t count) : numbers(new float[count]) {}
  float *get() const { return numbers.get(); }
};

float sum_of(Lanes numbers) {
  float sum = 0;
  for (int64_t i = 0; i < LANES; i++) sum += numbers[i];
  return sum;
}

float largest_of(Lanes numbers) {
  float largest = numbers[0];
  for (int64_t i = 1; i < LANES; i++) largest = std::max(largest, numbers[i]);
  return largest;
}

// The first `count` numbers, then the filling.
Lanes first_of(Lanes numbers, int64_t count, float filling) {
  Lanes places;
  for (int64_t i = 0; i < LANES; i++) places[i] = i;
  const float end = count;
  return places < end ? numbers : filling - Lanes{};
}

// exp(scale * (logit - the largest)) divided by the sum of these; the padding, as much as makes whole Lanes, becomes 0.
void softmax(float *logits, int64_t num_keys, float scale) {
  Lanes *vectors = reinterpret_cast<Lanes *>(logits);
  const int64_t last = (num_keys - 1) / LANES, num_left = num_keys - last * LANES;
  Lanes most = first_of(vectors[last], num_left, -INFINITY);
  for (int64_t v = 0; v < last; v++) most = vectors[v] > most ? vectors[v] : most;
  const float largest = largest_of(most);
  for (int64_t j = 0; j < (last + 1) * LANES; j++) logits[j] = exp_negative(scale * (logits[j] - largest));
  Lanes sums = vectors[last] = first_of(vectors[last], num_left, 0);
  for (int64_t v = 0; v < last; v++) sums += vectors[v];
  const float share = 1 / sum_of(sums);
  for (int64_t v = 0; v <= last; v++) vectors[v] *= share;
}

// The attention (count, logits) of queries (count, row) to transposed keys (width, logits).
void attend(const Shape &shape, const float *queries, const float *keys, float *attention, int64_t count) {
  multiply({queries, shape.row, 1}, keys, attention, count, shape.width, shape.logits);
  for (int64_t i = 0; i < count; i++) softmax(attention + i * shape.logits, shape.num_keys, shape.scale);
}

// Inputs q (B, N, C), k, v (B, M, C), number of heads. Output mixed (B, N, C).
void forward(const Arguments &a) {
  const Shape s(a, 3);
  const int64_t num_stretches = (s.num_queries + LONGEST - 1) / LONGEST;
  const int64_t work = 2 * std::min(s.num_queries, LONGEST) * s.num_keys;
  parallel_for(s.num_images * s.num_heads * num_stretches, work, [&](int64_t part) {
    const int64_t start = part % num_stretches * LONGEST, head = part / num_stretches % s.num_heads;
    const int64_t image = part / num_stretches / s.num_heads, end = std::min(start + LONGEST, s.num_queries);
    Buffer keys(s.width * s.logits), values(s.num_keys * s.row), queries(QUERIES * s.row);
    Buffer attention(QUERIES * s.logits), mixed(QUERIES * s.row);
    copy_transposed(a.floats(1) + s.key(image, head), s.channels, keys.get(), s.num_keys, s.width);
    copy_rows(a.floats(2) + s.key(image, head), s.channels, values.get(), s.num_keys, s.width);
    for (int64_t first = start; first < end; first += QUERIES) {
      const int64_t count = std::min(QUERIES, end - first), place = s.query(image, first, head);
      copy_rows(a.floats(0) + place, s.channels, queries.get(), count, s.width);
      attend(s, queries.get(), keys.get(), attention.get(), count);
      multiply({attention.get(), s.logits, 1}, values.get(), mixed.get(), count, s.num_keys, s.row);
      copy_back(mixed.get(), a.floats(4) + place, s.channels, count, s.width);
    }
  });
}

// From the gradients of the attention, whose padding is finite, those of the scaled products of queries and keys, which take their place.
void softmax_backward(const float *attention, float *gradients, int64_t num_keys, float scale) {
  const Lanes *shares = reinterpret_cast<const Lanes *>(attention);
  Lanes *vectors = reinterpret_cast<Lanes *>(gradients), sums = {};
  const int64_t count = padded(num_keys) / LANES;
  for (int64_t v = 0; v < count; v++) sums += shares[v] * vectors[v];
  const float average = sum_of(sums);
  for (int64_t v = 0; v < count; v++) vectors[v] = scale * shares[v] * (vectors[v] - average);
}

// Inputs q, k, v, dmixed, number of heads. Outputs dq, dk, dv.
// A part is a head of an image, whose queries add to the gradients of its keys and values one after the other.
void backward(const Arguments &a) {
  const Shape s(a, 4);
  parallel_for(s.num_images * s.num_heads, 5 * s.num_queries * s.num_keys, [&](int64_t part) {
    const int64_t image = part / s.num_heads, head = part % s.num_heads, table = s.key(image, head);
    std::vector<float> dkeys(s.num_keys * s.row), dvalues(s.num_keys * s.row);
    Buffer keys(s.num_keys * s.row), keys_across(s.width * s.logits), values_across(s.width * s.logits);
    Buffer queries(QUERIES * s.row), dqueries(QUERIES * s.row), dmixed(QUERIES * s.row);
    Buffer attention(QUERIES * s.logits), dlogits(QUERIES * s.logits);
    copy_rows(a.floats(1) + table, s.channels, keys.get(), s.num_keys, s.width);
    copy_transposed(a.floats(1) + table, s.channels, keys_across.get(), s.num_keys, s.width);
    copy_transposed(a.floats(2) + table, s.channels, values_across.get(), s.num_keys, s.width);
    for (int64_t first = 0; first < s.num_queries; first += QUERIES) {
      const int64_t count = std::min(QUERIES, s.num_queries - first), place = s.query(image, first, head);
      copy_rows(a.floats(0) + place, s.channels, queries.get(), count, s.width);
      copy_rows(a.floats(3) + place, s.channels, dmixed.get(), count, s.width);
      attend(s, queries.get(), keys_across.get(), attention.get(), count);
      multiply<true>({attention.get(), 1, s.logits}, dmixed.get(), dvalues.data(), s.num_keys, count, s.row);
      multiply({dmixed.get(), s.row, 1}, values_across.get(), dlogits.get(), count, s.width, s.logits);
      for (int64_t i = 0; i < count; i++) softmax_backward(attention.get() + i * s.logits, dlogits.get() + i * s.logits, s.num_keys, s.scale);
      multiply({dlogits.get(), s.logits, 1}, keys.get(), dqueries.get(), count, s.num_keys, s.row);
      copy_back(dqueries.get(), a.floats(5) + place, s.channels, count, s.width);
      multiply<true>({dlogits.get(), 1, s.logits}, queries.get(), dkeys.data(), s.num_keys, count, s.row);
    }
    copy_back(dkeys.data(), a.floats(6) + table, s.channels, s.num_keys, s.width);
    copy_back(dvalues.data(), a.floats(7) + table, s.channels, s.num_keys, s.width);
  });
}

}  // namespace

KERNEL(multi_head_mixture, forward)
KERNEL(multi_head_mixture_backward, backward)
