// Weights of a convolution turned, as the gradient of its input takes them.
#pragma once

#include "parallel.h"
#include "transpose.h"

#include <algorithm>
#include <cstdint>
#include <vector>

// Weights (O, C, num_taps) -> (C, O, taps), some of them in the order of their numbers given.
inline void turn(const float *weights, int64_t O, int64_t C, int64_t num_taps, const std::vector<int64_t> &taps,
                 float *turned) {
  constexpr int64_t BLOCK = 64;  // rows and columns, so that of a page more is read than a line
  const int64_t count = taps.size();
  parallel_for((C + BLOCK - 1) / BLOCK, 2 * BLOCK * O * count, [&](int64_t part) {
    const int64_t first = part * BLOCK, end = std::min(C, first + BLOCK);
    for (int64_t start = 0; start < O; start += BLOCK) {
      const int64_t stop = std::min(O, start + BLOCK);
      if (num_taps == 1) {
        transpose(weights + start * C + first, C, stop - start, end - first, turned + first * O + start, O);
        continue;
      }
      for (int64_t c = first; c < end; c++)
        for (int64_t o = start; o < stop; o++)
          for (int64_t t = 0; t < count; t++)
            turned[(c * O + o) * count + t] = weights[(o * C + c) * num_taps + taps[t]];
    }
  });
}
