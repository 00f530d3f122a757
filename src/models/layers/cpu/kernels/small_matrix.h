// Matrices that lie in the cache: rows copied out of larger ones, and products of any size.
#pragma once

#include "vectors.h"

#include <algorithm>
#include <cstdint>

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

template <int64_t length, int64_t R, int64_t V, bool adds>
void multiply_tile(Factor left, const float *right, float *products, int64_t depth, int64_t width) {
  typedef float T __attribute__((vector_size(4 * length), aligned(4)));
  T registers[R][V] = {};
  for (int64_t k = 0; k < depth; k++)
    for (int64_t i = 0; i < R; i++)
      for (int64_t v = 0; v < V; v++)
        registers[i][v] += left.numbers[i * left.row + k * left.depth] *
                           reinterpret_cast<const T *>(right + k * width)[v];
  for (int64_t i = 0; i < R; i++)
    for (int64_t v = 0; v < V; v++) {
      T &place = reinterpret_cast<T *>(products + i * width)[v];
      place = adds ? place + registers[i][v] : registers[i][v];
    }
}

template <int64_t length, int64_t V, bool adds>
void multiply_columns(Factor left, const float *right, float *products, int64_t num_rows, int64_t depth, int64_t width) {
  int64_t i = 0;
  for (; i + TILE_ROWS <= num_rows; i += TILE_ROWS, left.numbers += TILE_ROWS * left.row)
    multiply_tile<length, TILE_ROWS, V, adds>(left, right, products + i * width, depth, width);
  for (; i < num_rows; i++, left.numbers += left.row)
    multiply_tile<length, 1, V, adds>(left, right, products + i * width, depth, width);
}

// The columns from c on, up to 3 vectors of this length at a time. Returns where less than a vector is left.
template <int64_t length, bool adds>
int64_t multiply_vectors(Factor left, const float *right, float *products, int64_t num_rows, int64_t depth,
                         int64_t width, int64_t c) {
  for (int64_t count; (count = std::min<int64_t>(3, (width - c) / length)) > 0; c += count * length) {
    const auto work = count == 3   ? multiply_columns<length, 3, adds>
                      : count == 2 ? multiply_columns<length, 2, adds>
                                   : multiply_columns<length, 1, adds>;
    work(left, right + c, products + c, num_rows, depth, width);
  }
  return c;
}

// products (num_rows, width) = left (num_rows, depth) times right (depth, width), or += if it adds. The width is a
// multiple of LANES.
template <bool adds = false>
void multiply(Factor left, const float *right, float *products, int64_t num_rows, int64_t depth, int64_t width) {
  int64_t c = 0;
  if (WIDTH > LANES && WIDE_PRODUCTS)
    c = multiply_vectors<WIDTH, adds>(left, right, products, num_rows, depth, width, c);
  multiply_vectors<LANES, adds>(left, right, products, num_rows, depth, width, c);
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
