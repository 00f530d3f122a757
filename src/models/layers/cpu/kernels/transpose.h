// Transposition of a matrix, square by square.
#pragma once

#include "vectors.h"

#include <algorithm>
#include <cstdint>

constexpr int64_t SQUARE = 16;  // numbers of a cache line

// Exchanges, in each pair of rows `step` apart, the second half of every 2 * step numbers of one for the first half of
// the other's. After this for all powers of two below WIDTH, WIDTH rows are transposed.
template <int step>
inline void exchange(Vector *rows) {
  int32_t __attribute__((vector_size(4 * WIDTH))) upper, lower;
  for (int lane = 0; lane < WIDTH; lane++) {
    upper[lane] = lane & step ? WIDTH + lane - step : lane;
    lower[lane] = lane & step ? WIDTH + lane : lane + step;
  }
  for (int i = 0; i < WIDTH; i++) {
    if (i & step) continue;
    const Vector first = rows[i], second = rows[i + step];
    rows[i] = __builtin_shuffle(first, second, upper);
    rows[i + step] = __builtin_shuffle(first, second, lower);
  }
}

// A matrix of up to SQUARE rows, `width` apart, of up to SQUARE numbers -> its transpose, rows `height` apart. By way of
// a square of its own: rows a power of two apart push each other out of the cache, so each is touched once.
inline void transpose_square(const float *from, int64_t width, int64_t rows, int64_t columns, float *to, int64_t height) {
  if constexpr (WIDTH == SQUARE) {
    if (rows == SQUARE && columns == SQUARE) {
      Vector square[SQUARE];
      for (int64_t i = 0; i < SQUARE; i++) square[i] = *reinterpret_cast<const Vector *>(from + i * width);
      exchange<1>(square), exchange<2>(square), exchange<4>(square), exchange<8>(square);
      for (int64_t i = 0; i < SQUARE; i++) *reinterpret_cast<Vector *>(to + i * height) = square[i];
      return;
    }
  }
  float square[SQUARE][SQUARE];
  for (int64_t i = 0; i < rows; i++)
    for (int64_t j = 0; j < columns; j++) square[j][i] = from[i * width + j];
  for (int64_t j = 0; j < columns; j++) std::copy_n(square[j], rows, to + j * height);
}
