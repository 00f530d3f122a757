// Softmax of the logits of a query, which lie in whole Lanes, and its gradient.
#pragma once

#include "activations.h"
#include "small_matrix.h"

inline float sum_of(Lanes numbers) {
  float sum = 0;
  for (int64_t i = 0; i < LANES; i++) sum += numbers[i];
  return sum;
}

inline float largest_of(Lanes numbers) {
  float largest = numbers[0];
  for (int64_t i = 1; i < LANES; i++) largest = std::max(largest, numbers[i]);
  return largest;
}

// The first `count` numbers, then the filling.
inline Lanes first_of(Lanes numbers, int64_t count, float filling) {
  Lanes places;
  for (int64_t i = 0; i < LANES; i++) places[i] = i;
  const float end = count;
  return places < end ? numbers : filling - Lanes{};
}

// exp(scale * (logit - the largest)) divided by the sum of these; the padding, as much as makes whole Lanes, becomes 0.
inline void softmax(float *logits, int64_t num_keys, float scale) {
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

// From the gradients of the attention, whose padding is finite, those of the scaled products of queries and keys, which
// take their place.
inline void softmax_backward(const float *attention, float *gradients, int64_t num_keys, float scale) {
  const Lanes *shares = reinterpret_cast<const Lanes *>(attention);
  Lanes *vectors = reinterpret_cast<Lanes *>(gradients), sums = {};
  const int64_t count = padded(num_keys) / LANES;
  for (int64_t v = 0; v < count; v++) sums += shares[v] * vectors[v];
  const float average = sum_of(sums);
  for (int64_t v = 0; v < count; v++) vectors[v] = scale * shares[v] * (vectors[v] - average);
}
