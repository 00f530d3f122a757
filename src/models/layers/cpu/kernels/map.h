// The sizes of maps.
#pragma once

#include <cstdint>

// Maps (B, num_channels, height, width).
struct Map {
  int64_t num_channels, height, width;

  int64_t size() const { return height * width; }  // of an image's channel
  int64_t start(int64_t image, int64_t channel) const { return (image * num_channels + channel) * size(); }
};
