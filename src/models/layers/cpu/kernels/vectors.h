// Numbers that are computed with together.
#pragma once

#include <cstdint>

// As many as a register holds, whose alignment is the largest: the compiler computes with longer vectors by way of
// memory, up to ten times as slowly.
constexpr int WIDTH = __BIGGEST_ALIGNMENT__ / sizeof(float);
typedef float Vector __attribute__((vector_size(4 * WIDTH), aligned(4)));  // at the address of any number

constexpr int64_t LANES = WIDTH < 8 ? WIDTH : 8;  // where fewer fit better
typedef float Lanes __attribute__((vector_size(4 * LANES), aligned(4)));

// Numbers that stay in a register. The compiler may otherwise read them again for each product that they are in.
inline Vector loaded(const float *numbers) {
  Vector values = *reinterpret_cast<const Vector *>(numbers);
#ifdef __AVX512F__
  asm("" : "+v"(values));
#endif
  return values;
}

inline float sum(Vector values) {
  float total = 0;
  for (int lane = 0; lane < WIDTH; lane++) total += values[lane];
  return total;
}
