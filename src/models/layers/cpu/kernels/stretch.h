// Stretches of the positions of a convolution's maps, counted over all images, as a product reads and writes them.
#pragma once

#include "map.h"
#include "matrix.h"
#include "strided_copy.h"

#include <algorithm>
#include <cstdint>

inline int64_t ceil_ratio(int64_t a, int64_t b) { return (a + b - 1) / b; }

// Where the positions of an image lie in a map: every `step`th number of every `step`th line, from a place on that may lie
// outside.
struct Grid {
  int64_t line, number, step;
};

// Up to COLUMNS positions: runs of numbers, each of one line or joined to the next.
class Stretch {
 public:
  int64_t count;  // positions

  // Positions from `first` on, of images of `height` lines of `width`.
  Stretch(const Map &map, const Grid &grid, int64_t height, int64_t width, int64_t first, int64_t count)
      : count(count), step(grid.step) {
    for (int64_t done = 0, of_line; done < count; done += of_line) {
      const int64_t position = first + done, image = position / (height * width);
      of_line = std::min(width - position % width, count - done);
      const int64_t line = grid.line + position / width % height * step, number = grid.number + position % width * step;
      const bool inside = 0 <= line && line < map.height;
      const int64_t before = inside ? std::clamp<int64_t>(ceil_ratio(-number, step), 0, of_line) : of_line;
      const int64_t end = inside ? std::clamp<int64_t>(ceil_ratio(map.width - number, step), before, of_line) : of_line;
      add(OUTSIDE, before);
      add((image * map.num_channels * map.height + line) * map.width + number + before * step, end - before);
      add(OUTSIDE, of_line - end);
    }
  }

  // Their numbers in a channel; 0 outside.
  void read(const float *channel, float *values) const {
    for (const Run *run = runs; run < runs + num_runs; values += run++->count)
      if (run->place == OUTSIDE)
        std::fill_n(values, run->count, 0);
      else
        copy_from_apart(channel + run->place, step, values, run->count);
  }

  void write(const float *values, float *channel) const {
    for (const Run *run = runs; run < runs + num_runs; values += run++->count)
      copy_to_apart(values, channel + run->place, step, run->count);
  }

 private:
  static constexpr int64_t OUTSIDE = -1;

  struct Run {
    int64_t place, count;
  };

  int64_t step, num_runs = 0;
  Run runs[COLUMNS];

  // A run from `place` on, or OUTSIDE, which joins the last one if it goes on where that ends.
  void add(int64_t place, int64_t length) {
    if (length == 0) return;
    Run *last = num_runs > 0 ? &runs[num_runs - 1] : nullptr;
    if (last && (last->place == OUTSIDE || place == OUTSIDE ? last->place == place
                                                            : step == 1 && last->place + last->count == place))
      last->count += length;
    else
      runs[num_runs++] = {place, length};
  }
};
