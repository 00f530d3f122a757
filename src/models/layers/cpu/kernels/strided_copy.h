// Copies between numbers some step apart and numbers side by side.
#pragma once

#include "vectors.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

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
inline void copy_from_apart(const float *from, int64_t step, float *to, int64_t count) {
  if (step == 1)
    copy_few(from, to, count);
  else if (step == 2 && count >= WIDTH)
    copy_every_second<Vector, VectorPlaces>(from, to, count);
  else if (step == 2 && count >= LANES)
    copy_every_second<Lanes, LanePlaces>(from, to, count);
  else
    for (int64_t i = 0; i < count; i++) to[i] = from[i * step];
}

// Numbers side by side -> numbers `step` apart.
inline void copy_to_apart(const float *from, float *to, int64_t step, int64_t count) {
  if (step == 1)
    copy_few(from, to, count);
  else
    for (int64_t i = 0; i < count; i++) to[i * step] = from[i];
}
