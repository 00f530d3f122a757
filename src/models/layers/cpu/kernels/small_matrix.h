// Matrices that lie in the cache: rows copied out of larger ones, and products of any size.
#pragma once

#include "vectors.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#ifdef __AVX512VL__
constexpr int64_t TILE_ROWS = 8;
#else
constexpr int64_t TILE_ROWS = 4;
#endif

// The next multiple of LANES, which a row's length must be.
inline int64_t padded(int64_t width) { return (width + LANES - 1) / LANES * LANES; }

// A left factor: number k of row i is numbers[i * row + k * depth].
struct Factor {
  const float *numbers;
  int64_t row, depth;
};

template <int64_t R, int64_t V, bool adds>
void multiply_tile(Factor left, const float *right, float *products, int64_t depth, int64_t width) {
  Lanes registers[R][V] = {};
  for (int64_t k = 0; k < depth; k++)
    for (int64_t i = 0; i < R; i++)
      for (int64_t v = 0; v < V; v++)
        registers[i][v] += left.numbers[i * left.row + k * left.depth] *
                           reinterpret_cast<const Lanes *>(right + k * width)[v];
  for (int64_t i = 0; i < R; i++)
    for (int64_t v = 0; v < V; v++) {
      Lanes &place = reinterpret_cast<Lanes *>(products + i * width)[v];
      place = adds ? place + registers[i][v] : registers[i][v];
    }
}

template <int64_t V, bool adds>
void multiply_columns(Factor left, const float *right, float *products, int64_t num_rows, int64_t depth, int64_t width) {
  int64_t i = 0;
  for (; i + TILE_ROWS <= num_rows; i += TILE_ROWS, left.numbers += TILE_ROWS * left.row)
    multiply_tile<TILE_ROWS, V, adds>(left, right, products + i * width, depth, width);
  for (; i < num_rows; i++, left.numbers += left.row)
    multiply_tile<1, V, adds>(left, right, products + i * width, depth, width);
}

// products (num_rows, width) = left (num_rows, depth) times right (depth, width), or += if it adds. The width is a
// multiple of LANES.
template <bool adds = false>
void multiply(Factor left, const float *right, float *products, int64_t num_rows, int64_t depth, int64_t width) {
  int64_t c = 0;
  for (; c + 3 * LANES <= width; c += 3 * LANES)
    multiply_columns<3, adds>(left, right + c, products + c, num_rows, depth, width);
  if (width - c == 2 * LANES) multiply_columns<2, adds>(left, right + c, products + c, num_rows, depth, width);
  if (width - c == LANES) multiply_columns<1, adds>(left, right + c, products + c, num_rows, depth, width);
}

// `count` >= N numbers by N at a time, the last N of which may begin inside those before them.
template <int64_t N>
inline void copy_by(const float *from, float *to, int64_t count) {
  for (int64_t i = 0; i + N < count; i += N) std::memcpy(to + i, from + i, N * sizeof(float));
  std::memcpy(to + count - N, from + count - N, N * sizeof(float));
}

// std::copy_n without a call, which takes longer than to copy a few numbers.
inline void copy_few(const float *from, float *to, int64_t count) {
  if (count >= WIDTH)
    copy_by<WIDTH>(from, to, count);
  else if (count >= 8)
    copy_by<8>(from, to, count);
  else if (count >= 4)
    copy_by<4>(from, to, count);
  else
    for (int64_t i = 0; i < count; i++) to[i] = from[i];
}

// `count` rows of `width` numbers, `stride` apart -> rows of padded(width), zeros in the padding.
inline void copy_rows(const float *from, int64_t stride, float *to, int64_t count, int64_t width) {
  for (int64_t i = 0; i < count; i++) {
    copy_few(from + i * stride, to + i * padded(width), width);
    for (int64_t c = width; c < padded(width); c++) to[i * padded(width) + c] = 0;
  }
}

// The same rows as columns: `width` rows of padded(count), zeros in the padding.
inline void copy_transposed(const float *from, int64_t stride, float *to, int64_t count, int64_t width) {
  for (int64_t i = 0; i < count; i++)
    for (int64_t c = 0; c < width; c++) to[c * padded(count) + i] = from[i * stride + c];
  for (int64_t c = 0; c < width; c++)
    for (int64_t i = count; i < padded(count); i++) to[c * padded(count) + i] = 0;
}

// Rows of padded(width) += an addend of the same length.
inline void add_to_rows(const float *addend, float *rows, int64_t count, int64_t width) {
  const Lanes *addends = reinterpret_cast<const Lanes *>(addend);
  for (int64_t i = 0; i < count; i++)
    for (int64_t v = 0; v < padded(width) / LANES; v++)
      reinterpret_cast<Lanes *>(rows + i * padded(width))[v] += addends[v];
}

// A sum of padded(width) += rows of the same length.
inline void add_rows(const float *rows, float *sum, int64_t count, int64_t width) {
  for (int64_t v = 0; v < padded(width) / LANES; v++) {
    Lanes addends = {};
    for (int64_t i = 0; i < count; i++) addends += reinterpret_cast<const Lanes *>(rows + i * padded(width))[v];
    reinterpret_cast<Lanes *>(sum)[v] += addends;
  }
}

// Rows of padded(width) -> rows `stride` apart.
inline void copy_back(const float *from, float *to, int64_t stride, int64_t count, int64_t width) {
  for (int64_t i = 0; i < count; i++) copy_few(from + i * padded(width), to + i * stride, width);
}
