// Transposition of a matrix, square by square.
#pragma once

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
