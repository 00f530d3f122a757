// Stretches of the positions of a convolution's maps, counted over all images, as a product reads and writes them.
#pragma once

#include "map.h"
#include "matrix.h"
#include "vectors.h"

#include <algorithm>
#include <cstdint>

inline int64_t ceil_ratio(int64_t a, int64_t b) { return (a + b - 1) / b; }

// Where the positions of an image lie in a map: every `step`th number of every `step`th line, from a place on that may lie
// outside.
struct Grid {
  int64_t line, number, step;
};

typedef int32_t VectorPlaces __attribute__((vector_size(4 * WIDTH)));
typedef int32_t LanePlaces __attribute__((vector_size(4 * LANES)));

// Every second number -> numbers side by side, at least a vector of them, the last of which may begin inside those before.
template <typename Numbers, typename Places>
inline void copy_every_second(const float *from, float *to, int64_t count) {
  constexpr int N = sizeof(Numbers) / sizeof(float);
  Places places = {};  // from 0 on those of the first half, from N on those of the second, which begins one number earlier
  for (int i = 0; i < N; i++) places[i] = 2 * i < N ? 2 * i : 2 * i + 1;
  for (int64_t done = 0; done < count; done += N) {
    const int64_t start = std::min(done, count - N);
    Numbers first, second;
    std::memcpy(&first, from + 2 * start, sizeof first);
    std::memcpy(&second, from + 2 * start + N - 1, sizeof second);
    first = __builtin_shuffle(first, second, places);
    std::memcpy(to + start, &first, sizeof first);
  }
}

// Numbers `step` apart -> numbers side by side.
inline void copy_apart(const float *from, int64_t step, float *to, int64_t count) {
  if (step == 1)
    copy_few(from, to, count);
  else if (step == 2 && count >= WIDTH)
    copy_every_second<Vector, VectorPlaces>(from, to, count);
  else if (step == 2 && count >= LANES)
    copy_every_second<Lanes, LanePlaces>(from, to, count);
  else
    for (int64_t i = 0; i < count; i++) to[i] = from[i * step];
}

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
        copy_apart(channel + run->place, step, values, run->count);
  }

  void write(const float *values, float *channel) const {
    for (const Run *run = runs; run < runs + num_runs; values += run++->count)
      if (step == 1)
        copy_few(values, channel + run->place, run->count);
      else
        for (int64_t i = 0; i < run->count; i++) channel[run->place + i * step] = values[i];
  }

 private:
  static constexpr int64_t OUTSIDE = -1;

  struct Run {
    int64_t place, count;
  };

  int64_t step, num_runs = 0;
  Run runs[COLUMNS];

  void add(int64_t place, int64_t length) {
    if (length == 0) return;
    if (num_runs > 0) {
      Run &last = runs[num_runs - 1];
      const int64_t next = last.place == OUTSIDE ? OUTSIDE : step == 1 ? last.place + last.count : OUTSIDE - 1;
      if (place == next) {
        last.count += length;
        return;
      }
    }
    runs[num_runs++] = {place, length};
  }
};
