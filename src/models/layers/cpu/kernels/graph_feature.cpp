// Each node's features beside how far the largest of its neighbours' exceed them, channel by channel.
// Letters: B images, N nodes on a map, M key nodes, C channels, K neighbours of a node.
// A part is one image's block of channels: so wide that rows of keys are read in whole cache lines, so narrow that the
// block of all nodes stays in the cache while it is turned from rows into maps.
#include "arguments.h"
#include "parallel.h"

#include <algorithm>
#include <vector>

namespace {

constexpr int64_t BLOCK = 64;  // channels

// Where a channel's two maps of N numbers lie in (B, 2C, N): one after the other, or the second after all the first.
struct Pairs {
  int64_t num_channels, num_nodes;
  bool interleaved;

  int64_t own(int64_t image, int64_t c) const {
    return (image * 2 * num_channels + (interleaved ? 2 * c : c)) * num_nodes;
  }
  int64_t relative(int64_t image, int64_t c) const {
    return own(image, c) + (interleaved ? 1 : num_channels) * num_nodes;
  }
};

// Largest of the K rows of keys, and which of them (one of 256 at most) it came from: the first among equals, and a NaN
// before all. The compiler makes vectors of numbers of one width, hence the winners' of 4 bytes.
void find_largest(const float *keys, const int32_t *neighbours, int64_t num_neighbours, int64_t row_size, int64_t width,
                  float *largest, uint8_t *winners) {
  int32_t numbers[BLOCK] = {};
  std::copy_n(keys + neighbours[0] * row_size, width, largest);
  for (int64_t k = 1; k < num_neighbours; k++) {
    const float *row = keys + neighbours[k] * row_size;
    for (int64_t c = 0; c < width; c++) {
      const bool wins = row[c] > largest[c] || row[c] != row[c];
      largest[c] = wins ? row[c] : largest[c];
      numbers[c] = wins ? static_cast<int32_t>(k) : numbers[c];
    }
  }
  std::copy_n(numbers, width, winners);
}

// Inputs x (B, C, H, W), keys (B, M, C), neighbours (B, N, K). Outputs [x, max - x] (B, 2C, H, W), winners (B, N, C),
// and for its shape alone (M,).
template <bool interleaved>
void forward(const Arguments &a) {
  const int64_t num_images = a.size(0, 0), C = a.size(0, 1), N = a.size_from(0, 2), M = a.size(1, 1), K = a.size(2, 2);
  const Pairs pairs{C, N, interleaved};
  const int64_t num_blocks = (C + BLOCK - 1) / BLOCK;
  parallel_for(num_images * num_blocks, N * BLOCK * K, [&](int64_t part) {
    const int64_t image = part / num_blocks, first = part % num_blocks * BLOCK, width = std::min(BLOCK, C - first);
    const float *keys = a.floats(1) + image * M * C + first;
    std::vector<float> largest(N * BLOCK);
    for (int64_t n = 0; n < N; n++) {
      const int64_t node = image * N + n;
      find_largest(keys, a.integers(2) + node * K, K, C, width, &largest[n * BLOCK], a.bytes(4) + node * C + first);
    }
    for (int64_t c = 0; c < width; c++) {
      const float *x = a.floats(0) + (image * C + first + c) * N;
      float *own = a.floats(3) + pairs.own(image, first + c), *relative = a.floats(3) + pairs.relative(image, first + c);
      for (int64_t n = 0; n < N; n++) own[n] = x[n], relative[n] = largest[n * BLOCK + c] - x[n];
    }
  });
}

// Inputs neighbours (B, N, K), winners (B, N, C), (M,), dboth (B, 2C, H, W). Outputs dx (B, C, H, W), dkeys (B, M, C).
template <bool interleaved>
void backward(const Arguments &a) {
  const int64_t num_images = a.size(1, 0), N = a.size(1, 1), C = a.size(1, 2), K = a.size(0, 2), M = a.size(2, 0);
  const Pairs pairs{C, N, interleaved};
  const int64_t num_blocks = (C + BLOCK - 1) / BLOCK;
  parallel_for(num_images * num_blocks, 4 * N * BLOCK, [&](int64_t part) {
    const int64_t image = part / num_blocks, first = part % num_blocks * BLOCK, width = std::min(BLOCK, C - first);
    std::vector<float> rows(N * BLOCK), sums(M * BLOCK);
    for (int64_t c = 0; c < width; c++) {
      const float *own = a.floats(3) + pairs.own(image, first + c);
      const float *relative = a.floats(3) + pairs.relative(image, first + c);
      float *dx = a.floats(4) + (image * C + first + c) * N;
      for (int64_t n = 0; n < N; n++) dx[n] = own[n] - relative[n], rows[n * BLOCK + c] = relative[n];
    }
    for (int64_t n = 0; n < N; n++) {
      const int32_t *neighbours = a.integers(0) + (image * N + n) * K;
      const uint8_t *winners = a.bytes(1) + (image * N + n) * C + first;
      for (int64_t c = 0; c < width; c++) sums[neighbours[winners[c]] * BLOCK + c] += rows[n * BLOCK + c];
    }
    for (int64_t m = 0; m < M; m++) std::copy_n(&sums[m * BLOCK], width, a.floats(5) + (image * M + m) * C + first);
  });
}

}  // namespace

KERNEL(graph_feature, forward<false>)
KERNEL(graph_feature_backward, backward<false>)
KERNEL(graph_feature_interleaved, forward<true>)
KERNEL(graph_feature_interleaved_backward, backward<true>)
