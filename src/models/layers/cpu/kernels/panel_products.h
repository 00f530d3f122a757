// Products of rows with packed columns, and of columns with packed columns, as a gradient of weights takes them.
#pragma once

#include "panels.h"

#include <algorithm>
#include <cstdint>

// Rows (count, depth) times a panel -> some columns of (count, panels.width); bias (width,) may be nullptr.
template <int64_t N>
void multiply_by_panel(const float *rows, int64_t count, const Panels &panels, int64_t panel, const float *bias, float *to) {
  const int64_t depth = panels.depth, first = panels.first(panel);
  for (int64_t row = 0; row < count; row += ROWS) {
    const float *tile[ROWS];
    for (int64_t i = 0; i < ROWS; i++) tile[i] = rows + std::min(row + i, count - 1) * depth;
    alignas(64) float sums[ROWS * N * WIDTH];
    multiply_tile<N>(tile, panels.panel(panel), depth, sums);
    write_tile<N>(sums, std::min(ROWS, count - row), panels.columns(panel), to + row * panels.width + first, panels.width,
                  bias ? bias + first : nullptr, 0);
  }
}

// The same times the panels from `first` to `end` - 1.
inline void multiply_by_panels(const float *rows, int64_t count, const Panels &panels, int64_t first, int64_t end,
                               const float *bias, float *to) {
  for (int64_t panel = first; panel < end; panel++) {
    const int64_t N = panels.vectors(panel);
    const auto work = N == 1 ? multiply_by_panel<1> : N == 2 ? multiply_by_panel<2> : multiply_by_panel<VECTORS>;
    work(rows, count, panels, panel, bias, to);
  }
}

// Columns (depth, count) in strips of ROWS of them.
struct Strips {
  int64_t depth, count;
  float *numbers;

  // Numbers of a strip. Strips a power of two apart would push each other out of the cache.
  static int64_t size(int64_t depth) { return depth * ROWS + WIDTH; }
  static int64_t size(int64_t depth, int64_t count) { return (count + ROWS - 1) / ROWS * size(depth); }

  // `count` columns of rows `stride` apart, added to their sums too, which may be nullptr. Columns that the last strip
  // lacks are whatever they are.
  void pack(const float *rows, int64_t stride, float *sums) const {
    float *strips = numbers;
    for (int64_t k = 0; k < depth; k++, rows += stride, strips += ROWS) {
      float *to = strips;
      int64_t o = 0;
      for (; o + ROWS <= count; o += ROWS, to += size(depth)) std::copy_n(rows + o, ROWS, to);
      for (int64_t i = 0; i < count - o; i++) to[i] = rows[o + i];
      if (sums)
        for (o = 0; o < count; o++) sums[o] += rows[o];
    }
  }

  // to (count, `stride` apart) = or += the columns, turned, times a panel of as many rows.
  template <int64_t N>
  void multiply_panel(const Panels &panels, int64_t panel, float *to, int64_t stride, bool adds) const {
    for (int64_t o = 0; o < count; o += ROWS) {
      const float *rows[ROWS];
      for (int64_t i = 0; i < ROWS; i++) rows[i] = numbers + o / ROWS * size(depth) + i;
      alignas(64) float sums[ROWS * N * WIDTH];
      multiply_tile<N, ROWS>(rows, panels.panel(panel), depth, sums);
      float *place = to + o * stride + panels.first(panel);
      write_tile<N>(sums, std::min(ROWS, count - o), panels.columns(panel), place, stride, adds ? place : nullptr, stride);
    }
  }

  // The same with all panels.
  void multiply(const Panels &panels, float *to, int64_t stride, bool adds) const {
    for (int64_t p = 0; p < panels.count(); p++) {
      const int64_t N = panels.vectors(p);
      const auto work = N == 1 ? &Strips::multiply_panel<1> : N == 2 ? &Strips::multiply_panel<2> : &Strips::multiply_panel<VECTORS>;
      (this->*work)(panels, p, to, stride, adds);
    }
  }
};
