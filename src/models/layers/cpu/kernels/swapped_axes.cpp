// Two axes in the other order: (B, M, N) -> (B, N, M), in squares that fit the cache.
#include "arguments.h"
#include "parallel.h"

#include <algorithm>

namespace {

constexpr int64_t SIDE = 32;

// Input (B, M, N). Output (B, N, M).
void forward(const Arguments &a) {
  const int64_t M = a.size(0, 1), N = a.size(0, 2), num_stretches = (N + SIDE - 1) / SIDE;
  parallel_for(a.size(0, 0) * num_stretches, 2 * SIDE * M, [&](int64_t part) {
    const int64_t image = part / num_stretches * M * N, first = part % num_stretches * SIDE;
    const float *x = a.floats(0) + image;
    float *y = a.floats(1) + image;
    for (int64_t start = 0; start < M; start += SIDE)
      for (int64_t n = first; n < std::min(N, first + SIDE); n++)
        for (int64_t m = start; m < std::min(M, start + SIDE); m++) y[n * M + m] = x[m * N + n];
  });
}

}  // namespace

KERNEL(swapped_axes, forward)
