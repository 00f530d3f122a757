// Weights of a convolution turned, as the gradient of its input takes them.
#pragma once

#include "parallel.h"
#include "transpose.h"

#include <algorithm>
#include <cstdint>

// Weights (O, C, taps) -> (C, O, taps), the taps from the last to the first.
inline void turn(const float *weights, int64_t O, int64_t C, int64_t taps, float *turned) {
  parallel_for((C + SQUARE - 1) / SQUARE, 2 * SQUARE * O * taps, [&](int64_t part) {
    const int64_t first = part * SQUARE, end = std::min(C, first + SQUARE);
    for (int64_t start = 0; start < O; start += SQUARE) {
      const int64_t stop = std::min(O, start + SQUARE);
      if (taps == 1) {
        transpose_square(weights + start * C + first, C, stop - start, end - first, turned + first * O + start, O);
        continue;
      }
      for (int64_t c = first; c < end; c++)
        for (int64_t o = start; o < stop; o++)
          std::reverse_copy(weights + (o * C + c) * taps, weights + (o * C + c + 1) * taps, turned + (c * O + o) * taps);
    }
  });
}
