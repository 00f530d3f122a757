// Numbers that are computed with together.
#pragma once

#include <cstdint>

constexpr int WIDTH = 16;
typedef float Vector __attribute__((vector_size(4 * WIDTH), aligned(4)));  // at the address of any number

constexpr int64_t LANES = 8;  // where fewer fit better
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
  const Lanes *halves = reinterpret_cast<const Lanes *>(&values);
  const Lanes joined = halves[0] + halves[1];
  float total = 0;
  for (int lane = 0; lane < LANES; lane++) total += joined[lane];
  return total;
}
