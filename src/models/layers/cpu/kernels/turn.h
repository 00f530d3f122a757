// Weights of a convolution turned, as the gradient of its input takes them.
#pragma once

#include "parallel.h"
#include "transpose.h"

#include <algorithm>
#include <cstdint>

// Weights (O, C, taps) -> (C, O, taps), the taps from the last to the first.
inline void turn(const float *weights, int64_t O, int64_t C, int64_t taps, float *turned) {
  constexpr int64_t BLOCK = 64;  // rows and columns, so that of a page more is read than a line
  parallel_for((C + BLOCK - 1) / BLOCK, 2 * BLOCK * O * taps, [&](int64_t part) {
    const int64_t first = part * BLOCK, end = std::min(C, first + BLOCK);
    for (int64_t start = 0; start < O; start += BLOCK) {
      const int64_t stop = std::min(O, start + BLOCK);
      if (taps == 1) {
        transpose(weights + start * C + first, C, stop - start, end - first, turned + first * O + start, O);
        continue;
      }
      for (int64_t c = first; c < end; c++)
        for (int64_t o = start; o < stop; o++)
          std::reverse_copy(weights + (o * C + c) * taps, weights + (o * C + c + 1) * taps, turned + (c * O + o) * taps);
    }
  });
}
