// Weights of a convolution turned, as the gradient of its input takes them.
#pragma once

#include "parallel.h"

#include <algorithm>
#include <cstdint>

// Weights (O, C, taps) -> (C, O, taps), the taps from the last to the first. In squares that fit the cache.
inline void turn(const float *weights, int64_t O, int64_t C, int64_t taps, float *turned) {
  constexpr int64_t SIDE = 32;
  parallel_for((C + SIDE - 1) / SIDE, 2 * SIDE * O * taps, [&](int64_t part) {
    for (int64_t start = 0; start < O; start += SIDE)
      for (int64_t c = part * SIDE; c < std::min(C, (part + 1) * SIDE); c++)
        for (int64_t o = start; o < std::min(O, start + SIDE); o++)
          std::reverse_copy(weights + (o * C + c) * taps, weights + (o * C + c + 1) * taps, turned + (c * O + o) * taps);
  });
}
