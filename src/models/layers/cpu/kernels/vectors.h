// Numbers that are computed with together.
#pragma once

#include "processor.h"

#include <cstdint>
#include <cstring>
#ifdef __AVX512F__
#include <immintrin.h>
#endif

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

// numbers[places[i]] for each i < WIDTH, 0 where a place is negative.
inline Vector gathered(const float *numbers, const int32_t *places) {
#ifdef __AVX512F__
  if (WIDE_PRODUCTS) {  // measured there only: on others one instruction may take longer than many
    const __m512i index = _mm512_loadu_si512(places);
    const __mmask16 inside = _mm512_cmp_epi32_mask(index, _mm512_setzero_si512(), _MM_CMPINT_GE);
    return (Vector)_mm512_mask_i32gather_ps(_mm512_setzero_ps(), inside, index, numbers, sizeof(float));
  }
#endif
  Vector values;
  for (int i = 0; i < WIDTH; i++) values[i] = places[i] < 0 ? 0 : numbers[places[i]];
  return values;
}

// numbers[places[i]] = values[i] where a place is not negative.
inline void scatter(Vector values, const int32_t *places, float *numbers) {
#ifdef __AVX512F__
  if (WIDE_PRODUCTS) {
    const __m512i index = _mm512_loadu_si512(places);
    const __mmask16 inside = _mm512_cmp_epi32_mask(index, _mm512_setzero_si512(), _MM_CMPINT_GE);
    _mm512_mask_i32scatter_ps(numbers, inside, index, (__m512)values, sizeof(float));
    return;
  }
#endif
  for (int i = 0; i < WIDTH; i++)
    if (places[i] >= 0) numbers[places[i]] = values[i];
}

inline float sum(Vector values) {
  float total = 0;
  for (int lane = 0; lane < WIDTH; lane++) total += values[lane];
  return total;
}

// `count` >= N numbers by N at a time, the last N of which may begin inside those before them.
template <int64_t N>
inline void copy_by(const float *from, float *to, int64_t count) {
  for (int64_t i = 0; i + N < count; i += N) std::memcpy(to + i, from + i, N * sizeof(float));
  std::memcpy(to + count - N, from + count - N, N * sizeof(float));
}

// std::copy_n without a call, which takes longer than to copy a few numbers.
inline void copy_few(const float *from, float *to, int64_t count) {
  if (count >= WIDTH)
    copy_by<WIDTH>(from, to, count);
  else if (count >= 8)
    copy_by<8>(from, to, count);
  else if (count >= 4)
    copy_by<4>(from, to, count);
  else
    for (int64_t i = 0; i < count; i++) to[i] = from[i];
}
