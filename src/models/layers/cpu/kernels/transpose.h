// Transposition of a matrix, square by square.
#pragma once

#include "vectors.h"

#include <algorithm>
#include <cstdint>

constexpr int64_t SQUARE = WIDTH;

// Of SQUARE vectors, each pair of rows `STEP` apart exchanges its squares of STEP x STEP that lie off the diagonal; for
// all STEP, the powers of two below SQUARE, this is the transposition.
template <int STEP>
inline void exchange(Vector *rows) {
  typedef int32_t Places __attribute__((vector_size(4 * WIDTH)));
  Places upper, lower;  // of a pair's numbers, the first row's from 0 on, the second's from WIDTH on
  for (int lane = 0; lane < WIDTH; lane++) {
    upper[lane] = lane & STEP ? lane - STEP + WIDTH : lane;
    lower[lane] = lane & STEP ? lane + WIDTH : lane + STEP;
  }
  for (int i = 0; i < WIDTH; i++) {
    if (i & STEP) continue;
    const Vector first = rows[i], second = rows[i + STEP];
    rows[i] = __builtin_shuffle(first, second, upper);
    rows[i + STEP] = __builtin_shuffle(first, second, lower);
  }
  if constexpr (STEP > 1) exchange<STEP / 2>(rows);
}

// A matrix of up to SQUARE rows, `width` apart, of up to SQUARE numbers -> its transpose, rows `height` apart.
inline void transpose_square(const float *from, int64_t width, int64_t rows, int64_t columns, float *to, int64_t height) {
  if (rows < SQUARE || columns < SQUARE) {
    for (int64_t i = 0; i < rows; i++)
      for (int64_t j = 0; j < columns; j++) to[j * height + i] = from[i * width + j];
    return;
  }
  Vector square[SQUARE];
  for (int64_t i = 0; i < SQUARE; i++) square[i] = *reinterpret_cast<const Vector *>(from + i * width);
  exchange<SQUARE / 2>(square);
  for (int64_t j = 0; j < SQUARE; j++) *reinterpret_cast<Vector *>(to + j * height) = square[j];
}

// A matrix of any size -> its transpose.
inline void transpose(const float *from, int64_t width, int64_t rows, int64_t columns, float *to, int64_t height) {
  for (int64_t i = 0; i < rows; i += SQUARE)
    for (int64_t j = 0; j < columns; j += SQUARE)
      transpose_square(from + i * width + j, width, std::min(SQUARE, rows - i), std::min(SQUARE, columns - j),
                       to + j * height + i, height);
}
