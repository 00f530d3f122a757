// Samples between the pixels of a map, around a node: each is the mixture of the 4 pixels beside it, under bilinear
// weights. A pixel outside the map weighs nothing, and a sample one pixel outside or further has no pixel inside.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

constexpr int TAPS = 9;  // samples of a node, whose offsets count from a 3 x 3 window

// The two lines of pixels, rows or columns, beside a position: 0 the nearer to the origin.
struct Lines {
  int64_t numbers[2];  // inside the map
  float weights[2];
  float slopes[2];  // of the weights by the position; 0 for a line outside the map

  Lines(float position, int64_t count) {
    const float near = std::floor(position), beyond = position - near;
    for (int side = 0; side < 2; side++) {
      // At -1 exactly the far line has no gradient; a position that is not a number must still name lines.
      const float line = (position > -1 ? near : -2) + side, inner = std::min(std::max(line, 0.0f), count - 1.0f);
      const bool inside = line == inner;
      numbers[side] = static_cast<int64_t>(inner);
      weights[side] = !std::isfinite(position) ? NAN : !inside ? 0 : side ? beyond : 1 - beyond;
      slopes[side] = !inside ? 0 : side ? 1 : -1;
    }
  }
};

// A sample's 4 pixels, their weights, and how these follow its row and its column.
struct Sample {
  int64_t pixels[4];
  float weights[4], by_row[4], by_column[4];
};

// The samples of a node of a map, from their offsets: 9 rows, then 9 columns.
inline void locate(int64_t node, int64_t height, int64_t width, const float *offsets, Sample *samples) {
  const int64_t row = node / width, column = node % width;
  for (int tap = 0; tap < TAPS; tap++) {
    const Lines rows(row + tap / 3 - 1 + offsets[tap], height);
    const Lines columns(column + tap % 3 - 1 + offsets[TAPS + tap], width);
    for (int corner = 0; corner < 4; corner++) {
      const int r = corner / 2, c = corner % 2;
      samples[tap].pixels[corner] = rows.numbers[r] * width + columns.numbers[c];
      samples[tap].weights[corner] = rows.weights[r] * columns.weights[c];
      samples[tap].by_row[corner] = rows.slopes[r] * columns.weights[c];
      samples[tap].by_column[corner] = rows.weights[r] * columns.slopes[c];
    }
  }
}
