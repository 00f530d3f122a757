// The columns of a matrix, packed as a product reads them: in panels of up to VECTORS vectors.
#pragma once

#include "matrix.h"
#include "parallel.h"
#include "space.h"
#include "transpose.h"

#include <algorithm>
#include <cstdint>

// Panels are about equally wide: a tile of a single vector computes at half the speed.
struct Panels {
  int64_t depth, width;  // of the matrix
  float *numbers = nullptr;

  int64_t num_vectors() const { return (width + WIDTH - 1) / WIDTH; }
  int64_t count() const { return (num_vectors() + VECTORS - 1) / VECTORS; }
  int64_t size() const { return depth * num_vectors() * WIDTH; }
  int64_t first_vector(int64_t panel) const { return panel * num_vectors() / count(); }
  int64_t first(int64_t panel) const { return first_vector(panel) * WIDTH; }  // column
  int64_t vectors(int64_t panel) const { return first_vector(panel + 1) - first_vector(panel); }
  int64_t columns(int64_t panel) const { return std::min(width - first(panel), vectors(panel) * WIDTH); }
  float *panel(int64_t number) const { return numbers + first(number) * depth; }

  // Of a matrix (depth, width), rows `stride` apart, some panels.
  void pack(const float *matrix, int64_t stride, int64_t from, int64_t end) const {
    for (int64_t p = from; p < end; p++) {
      const float *row = matrix + first(p);
      float *to = panel(p);
      for (int64_t k = 0; k < depth; k++, row += stride, to += vectors(p) * WIDTH) copy_few(row, to, columns(p));
    }
  }

  // Of the transpose (width, depth) of a matrix.
  void pack_turned(const float *matrix, int64_t from, int64_t end) const {
    for (int64_t p = from; p < end; p++)
      transpose(matrix + first(p) * depth, depth, columns(p), depth, panel(p), vectors(p) * WIDTH);
  }
};

// A matrix, or its transpose, packed in a space by all threads.
inline Panels packed(Space &space, const float *matrix, int64_t height, int64_t width, bool turned) {
  Panels panels{turned ? width : height, turned ? height : width};
  panels.numbers = space.place(panels.size());
  parallel_for(panels.count(), panels.depth * COLUMNS, [&](int64_t p) {
    turned ? panels.pack_turned(matrix, p, p + 1) : panels.pack(matrix, width, p, p + 1);
  });
  return panels;
}

// Sums of a tile (rows, N vectors), plus an addend if there is one -> the first `columns` of rows `stride` apart.
template <int64_t N>
inline void write_tile(const float *sums, int64_t rows, int64_t columns, float *to, int64_t stride, const float *addend,
                       int64_t addend_stride) {
  for (int64_t i = 0; i < rows; i++, sums += N * WIDTH, to += stride) {
    if (addend && i > 0) addend += addend_stride;
    int64_t c = 0;
    for (; c + WIDTH <= columns; c += WIDTH) {
      Vector values = *reinterpret_cast<const Vector *>(sums + c);
      if (addend) values += *reinterpret_cast<const Vector *>(addend + c);
      *reinterpret_cast<Vector *>(to + c) = values;
    }
    for (; c < columns; c++) to[c] = sums[c] + (addend ? addend[c] : 0);
  }
}
