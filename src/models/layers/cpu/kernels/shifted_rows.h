// Channels of maps as rows of numbers in which each tap of a 3x3 convolution of padding 1 is the same row, shifted: lines
// of W numbers and a zero, images with a line of zeros after each, and zeros before and behind.
#pragma once

#include "small_matrix.h"
#include "vectors.h"

#include <algorithm>
#include <cstdint>

#ifdef __AVX512F__
constexpr int OUTPUTS = 4, VECTORS = 4, INPUTS = 2;  // of a tile: as many sums as the registers hold
#else
constexpr int OUTPUTS = 4, VECTORS = 1, INPUTS = 1;
#endif
constexpr int64_t TILE = WIDTH * VECTORS;  // numbers

struct Rows {
  int64_t num_images, height, width;

  int64_t line() const { return width + 1; }
  int64_t image() const { return (height + 1) * line(); }
  int64_t size() const { return (num_images * image() + TILE - 1) / TILE * TILE; }  // without the zeros around
  int64_t margin() const { return line() + 1; }
  int64_t length() const { return size() + 2 * margin(); }
  int64_t shift(int tap) const { return (tap / 3) * line() + tap % 3; }  // 0 is margin() numbers before the row

  // The first `count` channels of a map (B, num_channels, H, W) -> rows of length().
  void pack(const float *map, int64_t num_channels, int64_t count, float *rows) const {
    for (int64_t c = 0; c < count; c++) {
      float *const end = rows + length();
      rows = std::fill_n(rows, margin(), 0);
      for (int64_t b = 0; b < num_images; b++) {
        const float *numbers = map + (b * num_channels + c) * height * width;
        for (int64_t h = 0; h < height; h++, rows += line()) {
          copy_few(numbers + h * width, rows, width);
          rows[width] = 0;
        }
        rows = std::fill_n(rows, line(), 0);
      }
      rows = std::fill_n(rows, end - rows, 0);
    }
  }

  // Rows of size() -> channels of a map.
  void unpack(const float *rows, int64_t num_channels, int64_t count, float *map) const {
    for (int64_t c = 0; c < count; c++)
      for (int64_t b = 0; b < num_images; b++)
        for (int64_t h = 0; h < height; h++)
          copy_few(rows + c * size() + b * image() + h * line(), map + ((b * num_channels + c) * height + h) * width, width);
  }
};
