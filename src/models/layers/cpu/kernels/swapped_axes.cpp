// Two axes in the other order: (B, M, N) -> (B, N, M), a part for some of the columns.
#include "arguments.h"
#include "parallel.h"
#include "transpose.h"

#include <algorithm>

namespace {

// Input (B, M, N). Output (B, N, M).
void forward(const Arguments &a) {
  const int64_t M = a.size(0, 1), N = a.size(0, 2), num_stretches = (N + SQUARE - 1) / SQUARE;
  parallel_for(a.size(0, 0) * num_stretches, 2 * SQUARE * M, [&](int64_t part) {
    const int64_t image = part / num_stretches * M * N, n = part % num_stretches * SQUARE, count = std::min(SQUARE, N - n);
    for (int64_t m = 0; m < M; m += SQUARE)
      transpose_square(a.floats(0) + image + m * N + n, N, std::min(SQUARE, M - m), count,
                       a.floats(1) + image + n * M + m, M);
  });
}

}  // namespace

KERNEL(swapped_axes, forward)
