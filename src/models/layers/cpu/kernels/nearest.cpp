// The key nodes nearest to each node: all closenesses of a few nodes as a matrix product in registers, then the largest.
// Letters: B images, N nodes, M key nodes, C channels.
#include "arguments.h"
#include "parallel.h"
#include "vectors.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

namespace {

#ifdef __AVX512F__
constexpr int64_t NODES = 8, VECTORS = 2;  // of a tile: as many sums as the registers hold
#else
constexpr int64_t NODES = 4, VECTORS = 2;
#endif
constexpr int64_t KEYS = WIDTH * VECTORS;  // of a tile
constexpr int64_t CHUNK = 8 * NODES;       // nodes of a part

// What a row is divided by: 1, or its length.
float divisor(const float *row, int64_t num_channels, bool normalize) {
  if (!normalize) return 1;
  float square = 0;
  for (int64_t c = 0; c < num_channels; c++) square += row[c] * row[c];
  return std::max(std::sqrt(square), 1e-12f);
}

// `count` rows (count, C) -> (C, width), the missing ones zero. Returns the rows' squares where they are asked for.
void pack(const float *rows, int64_t count, int64_t num_channels, bool normalize, int64_t width, float *packed,
          float *squares = nullptr) {
  for (int64_t i = 0; i < count; i++) {
    const float *row = rows + i * num_channels, length = divisor(row, num_channels, normalize);
    float square = 0;
    for (int64_t c = 0; c < num_channels; c++) {
      const float value = row[c] / length;
      packed[c * width + i] = value;
      square += value * value;
    }
    if (squares) squares[i] = square;
  }
}

// Products of NODES nodes and KEYS keys, both packed: closeness (NODES, row_size) at `out`.
void multiply(const float *nodes, const float *keys, int64_t num_channels, int64_t row_size, float *out) {
  Vector sums[NODES][VECTORS] = {};
  for (int64_t c = 0; c < num_channels; c++) {
    const Vector *row = reinterpret_cast<const Vector *>(keys + c * KEYS);
    for (int n = 0; n < NODES; n++)
      for (int v = 0; v < VECTORS; v++) sums[n][v] += row[v] * nodes[c * NODES + n];
  }
  for (int n = 0; n < NODES; n++)
    for (int v = 0; v < VECTORS; v++) *reinterpret_cast<Vector *>(out + n * row_size + WIDTH * v) = sums[n][v];
}

// Rank of a value and its number: the larger value has the smaller rank, of equal ones the first; NaN counts as -infinity.
uint64_t rank(float value, int64_t number) {
  const float known = value == value ? value : -INFINITY;
  int32_t bits;
  std::memcpy(&bits, &known, sizeof bits);
  const uint32_t descending = bits < 0 ? static_cast<uint32_t>(bits) - 1 : INT32_MAX - bits;  // INT32_MAX for 0 and -0
  return static_cast<uint64_t>(descending) << 32 | number;
}

// The `wanted` smallest ranks in ascending order at the front; the lower halves of all are the values' numbers.
void select_largest(const float *values, int64_t count, int64_t wanted, uint64_t *ranks) {
  for (int64_t j = 0; j < count; j++) ranks[j] = rank(values[j], j);
  std::nth_element(ranks, ranks + wanted - 1, ranks + count);
  std::sort(ranks, ranks + wanted);
}

// Inputs nodes (B, N, C), keys (B, M, C), wanted places (K,) in ascending order, form [normalize, has_offsets], offsets
// (1, N, M) or anything. Output numbers (B, N, K) of the keys at these places in the order of 2 n k - |k|^2 - offset.
void nearest(const Arguments &a) {
  const int64_t num_images = a.size(0, 0), N = a.size(0, 1), C = a.size(0, 2), M = a.size(1, 1), K = a.size(2, 0);
  const int32_t *places = a.integers(2), *form = a.integers(3);
  const int64_t candidates = places[K - 1] + 1;
  const bool normalize = form[0] != 0;
  const float *offsets = form[1] != 0 ? a.floats(4) : nullptr;
  const int64_t num_tiles = (M + KEYS - 1) / KEYS, row_size = num_tiles * KEYS;
  std::vector<float> keys(num_images * C * row_size), squares(num_images * row_size);
  parallel_for(num_images * num_tiles, 2 * KEYS * C, [&](int64_t tile) {
    const int64_t image = tile / num_tiles, first = tile % num_tiles * KEYS;
    pack(a.floats(1) + (image * M + first) * C, std::min(KEYS, M - first), C, normalize, KEYS, &keys[tile * C * KEYS],
         &squares[tile * KEYS]);
  });
  const int64_t num_chunks = (N + CHUNK - 1) / CHUNK;
  parallel_for(num_images * num_chunks, CHUNK * M * C / 8, [&](int64_t part) {
    const int64_t image = part / num_chunks, first = part % num_chunks * CHUNK, end = std::min(N, first + CHUNK);
    std::vector<float> nodes(C * NODES), closeness(NODES * row_size);
    std::vector<uint64_t> ranks(M);
    for (int64_t start = first; start < end; start += NODES) {
      const int64_t count = std::min(NODES, end - start);
      pack(a.floats(0) + (image * N + start) * C, count, C, normalize, NODES, nodes.data());
      for (int64_t tile = 0; tile < num_tiles; tile++)
        multiply(nodes.data(), &keys[(image * num_tiles + tile) * C * KEYS], C, row_size, &closeness[tile * KEYS]);
      for (int64_t n = 0; n < count; n++) {
        float *row = &closeness[n * row_size];
        for (int64_t m = 0; m < M; m++) row[m] = 2 * row[m] - squares[image * row_size + m];
        if (offsets)
          for (int64_t m = 0; m < M; m++) row[m] -= offsets[(start + n) * M + m];
        select_largest(row, M, candidates, ranks.data());
        for (int64_t k = 0; k < K; k++)
          a.integers(5)[(image * N + start + n) * K + k] = static_cast<uint32_t>(ranks[places[k]]);
      }
    }
  });
}

}  // namespace

KERNEL(nearest_neighbours, nearest)
