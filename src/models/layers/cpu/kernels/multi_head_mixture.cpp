// Attention of several heads, from and to the rows that linear layers write: a head is a stretch of each row's channels.
// The backward pass computes the attention again, which is cheaper than to keep it.
// Queries, keys and values come without their biases (C,), which are added here.
// Letters: B images, N queries and M keys of each, C channels.
#include "arguments.h"
#include "parallel.h"
#include "small_matrix.h"
#include "softmax.h"

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

// The attention (count, logits) of queries (count, row) to transposed keys (width, logits).
void attend(const Shape &shape, const float *queries, const float *keys, float *attention, int64_t count) {
  multiply({queries, shape.row, 1}, keys, attention, count, shape.width, shape.logits);
  for (int64_t i = 0; i < count; i++) softmax(attention + i * shape.logits, shape.num_keys, shape.scale);
}

// Rows of a head plus their biases: of q, k, v, the inputs 0 to 2, whose biases are the inputs 3 to 5.
struct Biased {
  const Arguments &a;
  const Shape &shape;
  std::vector<float> biases;

  Biased(const Arguments &a, const Shape &shape, int64_t head) : a(a), shape(shape), biases(3 * shape.row) {
    for (int i = 0; i < 3; i++)
      copy_rows(a.floats(3 + i) + head * shape.width, 0, &biases[i * shape.row], 1, shape.width);
  }
  void rows(int input, int64_t place, float *to, int64_t count) const {
    copy_rows(a.floats(input) + place, shape.channels, to, count, shape.width);
    add_to_rows(&biases[input * shape.row], to, count, shape.width);
  }
};

// Inputs q (B, N, C), k, v (B, M, C), the biases of all three, number of heads. Output mixed (B, N, C).
void forward(const Arguments &a) {
  const Shape s(a, 6);
  const int64_t num_stretches = (s.num_queries + LONGEST - 1) / LONGEST;
  const int64_t work = 2 * std::min(s.num_queries, LONGEST) * s.num_keys;
  parallel_for(s.num_images * s.num_heads * num_stretches, work, [&](int64_t part) {
    const int64_t start = part % num_stretches * LONGEST, head = part / num_stretches % s.num_heads;
    const int64_t image = part / num_stretches / s.num_heads, end = std::min(start + LONGEST, s.num_queries);
    Buffer keys(s.width * s.logits), values(s.num_keys * s.row), queries(QUERIES * s.row);
    Buffer attention(QUERIES * s.logits), mixed(QUERIES * s.row);
    const Biased source(a, s, head);
    source.rows(1, s.key(image, head), values.get(), s.num_keys);
    copy_transposed(values.get(), s.row, keys.get(), s.num_keys, s.width);
    source.rows(2, s.key(image, head), values.get(), s.num_keys);
    for (int64_t first = start; first < end; first += QUERIES) {
      const int64_t count = std::min(QUERIES, end - first), place = s.query(image, first, head);
      source.rows(0, place, queries.get(), count);
      attend(s, queries.get(), keys.get(), attention.get(), count);
      multiply({attention.get(), s.logits, 1}, values.get(), mixed.get(), count, s.num_keys, s.row);
      copy_back(mixed.get(), a.floats(7) + place, s.channels, count, s.width);
    }
  });
}

// A bias' gradient (C,) from those that each head of each image brings (B, heads, row).
void sum_images(const Shape &s, const float *sums, float *dbias) {
  std::fill_n(dbias, s.channels, 0);
  for (int64_t part = 0; part < s.num_images * s.num_heads; part++)
    for (int64_t c = 0; c < s.width; c++) dbias[part % s.num_heads * s.width + c] += sums[part * s.row + c];
}

// Inputs q, k, v, their biases, dmixed, number of heads. Outputs dq, dk, dv, the gradients of the biases.
// A part is a head of an image, whose queries add to the gradients of its keys and values one after the other.
void backward(const Arguments &a) {
  const Shape s(a, 7);
  const int64_t num_sums = s.num_images * s.num_heads * s.row;
  std::vector<float> sums(3 * num_sums);
  parallel_for(s.num_images * s.num_heads, 5 * s.num_queries * s.num_keys, [&](int64_t part) {
    const int64_t image = part / s.num_heads, head = part % s.num_heads, table = s.key(image, head);
    const Biased source(a, s, head);
    const int64_t sum = part * s.row;
    std::vector<float> dkeys(s.num_keys * s.row), dvalues(s.num_keys * s.row);
    Buffer keys(s.num_keys * s.row), keys_across(s.width * s.logits), values_across(s.width * s.logits);
    Buffer queries(QUERIES * s.row), dqueries(QUERIES * s.row), dmixed(QUERIES * s.row);
    Buffer attention(QUERIES * s.logits), dlogits(QUERIES * s.logits);
    source.rows(2, table, keys.get(), s.num_keys);
    copy_transposed(keys.get(), s.row, values_across.get(), s.num_keys, s.width);
    source.rows(1, table, keys.get(), s.num_keys);
    copy_transposed(keys.get(), s.row, keys_across.get(), s.num_keys, s.width);
    for (int64_t first = 0; first < s.num_queries; first += QUERIES) {
      const int64_t count = std::min(QUERIES, s.num_queries - first), place = s.query(image, first, head);
      source.rows(0, place, queries.get(), count);
      copy_rows(a.floats(6) + place, s.channels, dmixed.get(), count, s.width);
      attend(s, queries.get(), keys_across.get(), attention.get(), count);
      multiply<true>({attention.get(), 1, s.logits}, dmixed.get(), dvalues.data(), s.num_keys, count, s.row);
      multiply({dmixed.get(), s.row, 1}, values_across.get(), dlogits.get(), count, s.width, s.logits);
      for (int64_t i = 0; i < count; i++) softmax_backward(attention.get() + i * s.logits, dlogits.get() + i * s.logits, s.num_keys, s.scale);
      multiply({dlogits.get(), s.logits, 1}, keys.get(), dqueries.get(), count, s.num_keys, s.row);
      add_rows(dqueries.get(), &sums[sum], count, s.width);
      copy_back(dqueries.get(), a.floats(8) + place, s.channels, count, s.width);
      multiply<true>({dlogits.get(), 1, s.logits}, queries.get(), dkeys.data(), s.num_keys, count, s.row);
    }
    add_rows(dkeys.data(), &sums[num_sums + sum], s.num_keys, s.width);
    add_rows(dvalues.data(), &sums[2 * num_sums + sum], s.num_keys, s.width);
    copy_back(dkeys.data(), a.floats(9) + table, s.channels, s.num_keys, s.width);
    copy_back(dvalues.data(), a.floats(10) + table, s.channels, s.num_keys, s.width);
  });
  for (int i = 0; i < 3; i++) sum_images(s, &sums[i * num_sums], a.floats(11 + i));
}

}  // namespace

KERNEL(multi_head_mixture, forward)
KERNEL(multi_head_mixture_backward, backward)
