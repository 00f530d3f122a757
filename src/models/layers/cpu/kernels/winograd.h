// Winograd's minimal filtering F(2x2, 3x3) of 3x3 convolutions (Lavin and Gray, "Fast Algorithms for Convolutional
// Neural Networks", 2016, section 4.1). A tile is 2x2 outputs, which depend on 4x4 inputs: transformed, both and the
// weights are 16 numbers, and a tile of an output channel is 16 products summed over the input channels instead of 36.
#pragma once

#include "arguments.h"
#include "matrix.h"
#include "space.h"

#include <algorithm>
#include <cstdint>
#include <vector>

constexpr int64_t POINTS = 16, SIDE = 4;
constexpr int64_t PANEL_VECTORS = std::min<int64_t>(VECTORS, 2);
constexpr int64_t PANEL = PANEL_VECTORS * WIDTH;  // columns of a matrix that are computed together

// POINTS matrices (rows, columns); the columns are a multiple of WIDTH.
struct Matrices {
  static constexpr int64_t GAP = WIDTH;  // behind each: numbers a power of two apart share places in the cache
  float *numbers;
  int64_t rows, columns;

  int64_t step() const { return rows * columns + GAP; }
  int64_t size() const { return POINTS * step(); }
  float *row(int64_t point, int64_t number) const { return numbers + point * step() + number * columns; }

  // A vector of each, the 4x4 of a tile.
  void write(int64_t row_number, int64_t column, const Vector *square) const {
    for (int64_t p = 0; p < POINTS; p++) *reinterpret_cast<Vector *>(row(p, row_number) + column) = square[p];
  }
  void read(int64_t row_number, int64_t column, Vector *square) const {
    for (int64_t p = 0; p < POINTS; p++) square[p] = *reinterpret_cast<const Vector *>(row(p, row_number) + column);
  }
};

// PANEL columns each, shared out to parts of a few, which read the other factor once: PARTS at least, for as many threads.
struct PanelShares {
  static constexpr int64_t MOST = 4, PARTS = 8;
  int64_t count, num_parts;

  explicit PanelShares(int64_t columns)
      : count((columns + PANEL - 1) / PANEL), num_parts(std::max((count + MOST - 1) / MOST, std::min(count, PARTS))) {}
  int64_t first(int64_t part) const { return part * count / num_parts; }
  int64_t of(int64_t part) const { return first(part + 1) - first(part); }
};

inline int64_t rounded_up(int64_t number, int64_t factor) { return (number + factor - 1) / factor * factor; }

// Matrices that lie in a space.
inline Matrices matrices_in(Space &space, int64_t rows, int64_t columns) {
  Matrices result{nullptr, rows, columns};
  result.numbers = space.place(result.size());
  return result;
}

// Each of these transforms up to 4 vectors, `step` apart, in place; of weights 3, and of outputs 2, are given or left.
inline void transform_inputs(Vector *d, int64_t step) {
  const Vector first = d[0], second = d[step], third = d[2 * step];
  d[0] = first - third;
  d[step] = second + third;
  d[2 * step] = third - second;
  d[3 * step] = second - d[3 * step];
}

inline void transform_weights(Vector *g, int64_t step) {
  const Vector outer = 0.5f * (g[0] + g[2 * step]), inner = 0.5f * g[step];
  g[3 * step] = g[2 * step];
  g[step] = outer + inner;
  g[2 * step] = outer - inner;
}

inline void restore_outputs(Vector *m, int64_t step) {
  m[0] = m[0] + m[step] + m[2 * step];
  m[step] = m[step] - m[2 * step] - m[3 * step];
}

// The transposed ways, of gradients.
inline void transform_output_gradients(Vector *dy, int64_t step) {
  const Vector first = dy[0], second = dy[step];
  dy[step] = first + second;
  dy[2 * step] = first - second;
  dy[3 * step] = -second;
}

inline void restore_weight_gradients(Vector *m, int64_t step) {
  const Vector sum = 0.5f * (m[step] + m[2 * step]);
  m[0] += sum;
  m[step] = 0.5f * (m[step] - m[2 * step]);
  m[2 * step] = sum + m[3 * step];
}

// Lines, then columns of 4x4 vectors.
template <void (*transform)(Vector *, int64_t)>
inline __attribute__((always_inline)) void both_ways(Vector *square) {
  for (int64_t i = 0; i < SIDE; i++) transform(square + i * SIDE, 1);
  for (int64_t i = 0; i < SIDE; i++) transform(square + i, SIDE);
}

// The tiles that cover the maps of all images. With a dilation, neighbours in a tile are `dilation` numbers apart.
class Tiles {
 public:
  Tiles(const Arguments &a, int map, int64_t dilation)
      : height(a.size(map, 2)), width(a.size(map, 3)), dilation(dilation) {
    for (int64_t b = 0; b < a.size(map, 0); b++)
      for (int64_t band = 0; band < height; band += 2 * dilation)  // so that tiles of few lines follow one another
        for (int64_t y = band; y < std::min(band + dilation, height); y++)
          for (int64_t column = 0; column < std::min(dilation, width); column++)
            for (int64_t x = column; x < width; x += 2 * dilation) tiles.push_back({b, y, x});
  }

  int64_t size() const { return tiles.size(); }

  // Where the number of a tile at (line, column), 0 to 1 for outputs, -1 to 2 for inputs, lies in a map of
  // num_channels; -1 if there is none.
  int64_t place(int64_t tile, int64_t line, int64_t column, int64_t num_channels) const {
    if (tile >= size()) return -1;
    const int64_t y = tiles[tile].y + line * dilation, x = tiles[tile].x + column * dilation;
    const bool inside = 0 <= y && y < height && 0 <= x && x < width;
    return inside ? (tiles[tile].image * num_channels * height + y) * width + x : -1;
  }

 private:
  struct Tile {
    int64_t image, y, x;
  };
  int64_t height, width, dilation;
  std::vector<Tile> tiles;
};
