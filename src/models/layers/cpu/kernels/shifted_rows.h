// Channels of maps as rows of numbers in which each tap of a 3x3 convolution of padding 1 is the same row, shifted: lines
// of W numbers and a zero, images with a line of zeros after each, and zeros before and behind.
// For a convolution of stride S a channel of its input is S * S such rows, its phases: every Sth number of every Sth
// line, beginning at one of the first S lines and one of the first S numbers. A tap then belongs to one of them.
#pragma once

#include "map.h"
#include "small_matrix.h"
#include "strided_copy.h"
#include "vectors.h"

#include <algorithm>
#include <cstdint>

#ifdef __AVX512F__
constexpr int OUTPUTS = 4, VECTORS = 4, INPUTS = 2;  // of a tile: as many sums as the registers hold
#else
constexpr int OUTPUTS = 4, VECTORS = 2, INPUTS = 1;
#endif
constexpr int64_t TILE = WIDTH * VECTORS;  // numbers

// Some lines and numbers of a map: those of one of the S * S phases.
template <int S>
struct Phase {
  const Map &map;
  int64_t line, number;  // the first

  Phase(const Map &map, int phase) : map(map), line(phase / S), number(phase % S) {}

  int64_t height() const { return (map.height - line + S - 1) / S; }
  int64_t width() const { return (map.width - number + S - 1) / S; }
  int64_t place(int64_t image, int64_t channel, int64_t h) const {
    return map.start(image, channel) + (line + h * S) * map.width + number;
  }
};

struct Rows {
  int64_t num_images, height, width;

  int64_t line() const { return width + 1; }
  int64_t image() const { return (height + 1) * line(); }
  int64_t size() const { return (num_images * image() + TILE - 1) / TILE * TILE; }  // without the zeros around
  int64_t margin() const { return line() + 1; }
  int64_t length() const { return size() + 2 * margin(); }

  // The first `count` channels of maps -> for each the rows, of length(), of all phases.
  template <int S>
  void pack(const float *numbers, const Map &map, int64_t count, float *rows) const {
    for (int64_t c = 0; c < count; c++)
      for (int number = 0; number < S * S; number++) {
        const Phase<S> phase(map, number);
        float *const end = rows + length();
        rows = std::fill_n(rows, margin(), 0);
        for (int64_t b = 0; b < num_images; b++) {
          for (int64_t h = 0; h < height; h++, rows += line()) {
            const int64_t filled = h < phase.height() ? phase.width() : 0;
            if (filled < width) std::fill_n(rows + filled, width - filled, 0);
            copy_from_apart(numbers + phase.place(b, c, h), S, rows, filled);
            rows[width] = 0;
          }
          rows = std::fill_n(rows, line(), 0);
        }
        rows = std::fill_n(rows, end - rows, 0);
      }
  }

  // Rows of size(), one for each channel -> a phase of these channels.
  template <int S>
  void unpack(const float *rows, const Phase<S> &phase, int64_t count, float *numbers) const {
    for (int64_t c = 0; c < count; c++)
      for (int64_t b = 0; b < num_images; b++)
        for (int64_t h = 0; h < phase.height(); h++)
          copy_to_apart(rows + c * size() + b * image() + h * line(), numbers + phase.place(b, c, h), S, phase.width());
  }
};

// Some of the 9 taps of a convolution of stride S, and where what they read lies, counted from a position of the output.
struct Taps {
  int count = 0, numbers[9];
  int64_t places[9];

  void add(int number, int64_t place) { numbers[count] = number, places[count++] = place; }

  // Of the phases of the input.
  template <int S>
  static Taps of_input(const Rows &rows) {
    Taps taps;
    for (int tap = 0; tap < 9; tap++) taps.add(tap, phase<S>(tap) * rows.length() + rows.margin() + shift<S>(tap, rows));
    return taps;
  }

  // Of the gradient of the output, for that of a phase of the input.
  template <int S>
  static Taps of_gradient(const Rows &rows, int number) {
    Taps taps;
    for (int tap = 0; tap < 9; tap++)
      if (phase<S>(tap) == number) taps.add(tap, rows.margin() - shift<S>(tap, rows));
    return taps;
  }

 private:
  // Tap t of an axis reads number i * S - 1 + t, which is number i + (t + S - 1) / S - 1 of phase (t + S - 1) % S.
  template <int S>
  static int phase(int tap) { return (tap / 3 + S - 1) % S * S + (tap % 3 + S - 1) % S; }

  template <int S>
  static int64_t shift(int tap, const Rows &rows) {
    return ((tap / 3 + S - 1) / S - 1) * rows.line() + (tap % 3 + S - 1) / S - 1;
  }
};
