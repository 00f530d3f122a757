// Matrix product of a tile, whose sums stay in the registers.
#pragma once

#include "vectors.h"

#include <cstdint>
#include <cstring>

#ifdef __AVX512F__
constexpr int64_t ROWS = 8, VECTORS = 3;
#else
constexpr int64_t ROWS = 6, VECTORS = 2;
#endif
constexpr int64_t COLUMNS = WIDTH * VECTORS;

// ROWS rows (depth,), whose numbers are `step` apart, times columns (depth, N vectors) -> sums (ROWS, N vectors).
template <int64_t N = VECTORS, int64_t step = 1>
inline void multiply_tile(const float *const *rows, const float *columns, int64_t depth, float *sums) {
  Vector registers[ROWS][N] = {};
  for (int64_t k = 0; k < depth; k++, columns += N * WIDTH)
    for (int64_t i = 0; i < ROWS; i++)
      for (int64_t v = 0; v < N; v++) registers[i][v] += rows[i][k * step] * reinterpret_cast<const Vector *>(columns)[v];
  std::memcpy(sums, registers, sizeof registers);
}
