// The arguments that the framework hands to a kernel: all inputs, then all outputs, as addresses with shapes.
#pragma once

#include <cstdint>

struct Arguments {
  void **addresses;
  const int *ranks;
  int64_t **shapes;

  float *floats(int number) const { return static_cast<float *>(addresses[number]); }
  int32_t *integers(int number) const { return static_cast<int32_t *>(addresses[number]); }
  uint8_t *bytes(int number) const { return static_cast<uint8_t *>(addresses[number]); }
  int64_t size(int number, int axis) const { return shapes[number][axis]; }

  // Product of an argument's sizes from this axis on.
  int64_t size_from(int number, int axis) const {
    int64_t product = 1;
    for (; axis < ranks[number]; axis++) product *= shapes[number][axis];
    return product;
  }
};

// A kernel that the framework calls by its name; 0 says that it has succeeded.
#define KERNEL(name, body)                                                                                  \
  extern "C" int name(int, void **addresses, int *ranks, int64_t **shapes, const char **, void *, void *) { \
    body(Arguments{addresses, ranks, shapes});                                                              \
    return 0;                                                                                               \
  }
