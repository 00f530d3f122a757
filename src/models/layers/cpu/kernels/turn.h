// Weights of a convolution turned, as the gradient of its input takes them.
#pragma once

#include "parallel.h"

#include <algorithm>
#include <cstdint>

constexpr int64_t SQUARE = 16;  // numbers of a cache line

// A matrix of up to SQUARE rows, `width` apart, of up to SQUARE numbers -> its transpose, rows `height` apart. By way of
// a square of its own: rows a power of two apart push each other out of the cache, so each is touched once.
inline void transpose_square(const float *from, int64_t width, int64_t rows, int64_t columns, float *to, int64_t height) {
  float square[SQUARE][SQUARE];
  for (int64_t i = 0; i < rows; i++)
    for (int64_t j = 0; j < columns; j++) square[j][i] = from[i * width + j];
  for (int64_t j = 0; j < columns; j++) std::copy_n(square[j], rows, to + j * height);
}

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
