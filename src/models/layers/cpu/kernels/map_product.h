// Product of a matrix and, at each position of maps, what their channels have there and at some places around.
#pragma once

#include "matrix.h"
#include "parallel.h"
#include "space.h"
#include "stretch.h"

#include <algorithm>
#include <cstdint>
#include <vector>

constexpr int64_t ROWS_OF_PART = 32 * ROWS;  // which lays its columns once
constexpr int64_t PANEL = COLUMNS;            // positions that are computed together
constexpr int64_t MOST_PANELS = 8, MOST_NUMBERS = 131072;  // of a part's columns, which stay in the second cache

// PANEL positions: a column for each, of what all channels have there at each tap; and where their products belong.
struct PositionPanel {
  std::vector<Stretch> taps;
  Stretch written;
  float *columns;

  int64_t num_vectors() const { return ceil_ratio(written.count, WIDTH); }

  void lay(const float *channel, int64_t c) const {
    float *row = columns + c * int64_t(taps.size()) * num_vectors() * WIDTH;
    for (const Stretch &tap : taps) {
      tap.read(channel, row);
      row += num_vectors() * WIDTH;
    }
  }

  // ROWS rows times the columns; the first `count` belong to y, whose channels are `size` numbers apart.
  void multiply(const float *const *rows, int64_t depth, int64_t count, int64_t size, float *y) const {
    const auto tile = num_vectors() == 1 ? multiply_tile<1> : num_vectors() == 2 ? multiply_tile<2> : multiply_tile<>;
    alignas(64) float sums[ROWS * PANEL];
    tile(rows, columns, depth, sums);
    for (int64_t i = 0; i < count; i++) written.write(sums + i * num_vectors() * WIDTH, y + i * size);
  }
};

// A matrix (channels of y, channels of x and taps) of each group times x, at each position.
struct MapProduct {
  const float *matrices, *x;
  float *y;
  const Map in, out;
  const std::vector<Grid> taps;  // what is read of x
  const Grid written;            // of y
  const int64_t num_groups, num_images, height, width;  // positions of an image
  const int64_t num_positions = num_images * height * width, num_taps = taps.size();
  const int64_t num_channels = in.num_channels / num_groups, depth = num_channels * num_taps;
  const int64_t num_rows = out.num_channels / num_groups, num_blocks = ceil_ratio(num_rows, ROWS_OF_PART);
  const int64_t num_panels = ceil_ratio(num_positions, PANEL);
  const int64_t most_panels = std::clamp<int64_t>(MOST_NUMBERS / (depth * PANEL), 1, MOST_PANELS);
  const int64_t num_runs = ceil_ratio(num_panels, most_panels), run = ceil_ratio(num_panels, num_runs);

  PositionPanel panel(int64_t first, float *columns) const {
    const int64_t count = std::min(PANEL, num_positions - first);
    PositionPanel result{{}, Stretch(out, written, height, width, first, count), columns};
    result.taps.reserve(num_taps);
    for (const Grid &tap : taps) result.taps.emplace_back(in, tap, height, width, first, count);
    return result;
  }

  // Up to ROWS_OF_PART rows of a group, from row `block` on, times the panels from `first` on.
  void part(int64_t group, int64_t block, int64_t first) const {
    const float *matrix = matrices + group * num_rows * depth, *from = x + group * num_channels * in.size();
    float *to = y + group * num_rows * out.size();
    static thread_local Space space;
    float *columns = space.place(run * depth * PANEL);
    std::vector<PositionPanel> panels;
    for (int64_t position = first * PANEL; position < std::min((first + run) * PANEL, num_positions); position += PANEL) {
      panels.push_back(panel(position, columns));
      columns += depth * PANEL;
    }
    for (int64_t c = 0; c < num_channels; c++)
      for (const PositionPanel &panel : panels) panel.lay(from + c * in.size(), c);
    for (int64_t row = block; row < std::min(block + ROWS_OF_PART, num_rows); row += ROWS) {
      const float *rows[ROWS];
      for (int64_t i = 0; i < ROWS; i++) rows[i] = matrix + std::min(row + i, num_rows - 1) * depth;
      const int64_t count = std::min(ROWS, num_rows - row);
      for (const PositionPanel &panel : panels) panel.multiply(rows, depth, count, out.size(), to + row * out.size());
    }
  }

  void run_all() const {
    parallel_for(num_groups * num_runs * num_blocks, run * PANEL * depth, [&](int64_t number) {
      part(number / num_blocks / num_runs, number % num_blocks * ROWS_OF_PART, number / num_blocks % num_runs * run);
    });
  }
};
