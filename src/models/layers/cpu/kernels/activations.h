// Activations and their slopes for one number, in forms that the compiler turns into vector instructions.
// A number that is NaN gives NaN, except for the slope of ReLU.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

enum Activation { NONE, RELU, GELU, TANH_GELU };

constexpr float SQRT_HALF = 0.70710678f;
constexpr float DENSITY_AT_0 = 0.39894228f;  // of the standard normal
constexpr float TANH_A = 1.59576912f;        // 2 sqrt(2 / pi)
constexpr float TANH_B = 0.044715f * TANH_A;

// A polynomial, its coefficients from the highest power on.
template <int n>
inline float polynomial(const float (&coefficients)[n], float x) {
  float value = coefficients[0];
  for (int i = 1; i < n; i++) value = value * x + coefficients[i];
  return value;
}

// Error function: a rational function of degrees 13 and 8 (the one known from Eigen), exact to 3e-7. From 4 on it is 1.
inline float error_function(float x) {
  constexpr float NUMERATOR[] = {-2.72614225801306e-10f, 2.77068142495902e-08f, -2.10102402082508e-06f,
                                 -5.69250639462346e-05f, -7.34990630326855e-04f, -2.95459980854025e-03f,
                                 -1.60960333262415e-02f};
  constexpr float DENOMINATOR[] = {-1.45660718464996e-05f, -2.13374055278905e-04f, -1.68282697438203e-03f,
                                   -7.37332916720468e-03f, -1.42647390514189e-02f};
  x = std::min(std::max(x, -4.0f), 4.0f);
  const float square = x * x;
  return x * polynomial(NUMERATOR, square) / polynomial(DENOMINATOR, square);
}

// exp(x) for x <= 0, exact to 1e-7 of it: 2^n exp(r), |r| <= ln 2 / 2 (the Cephes library's polynomial).
inline float exp_negative(float x) {
  constexpr float SERIES[] = {1.9875691500e-4f, 1.3981999507e-3f, 8.3334519073e-3f,
                              4.1665795894e-2f, 1.6666665459e-1f, 5.0000001201e-1f};
  x = std::max(x, -87.0f);
  const int32_t n = static_cast<int32_t>(x * 1.44269504f - 0.5f);
  const float r = x - n * 0.693359375f + n * 2.12194440e-4f;  // ln 2 in two parts
  const uint32_t bits = static_cast<uint32_t>(n + 127) << 23;
  float power;
  std::memcpy(&power, &bits, sizeof power);
  return (polynomial(SERIES, r) * r * r + r + 1.0f) * power;
}

inline float sigmoid(float x) {
  const float tail = exp_negative(-std::fabs(x)), large = 1.0f / (1.0f + tail);
  return x < 0 ? tail * large : large;
}

inline float normal_probability(float x) { return 0.5f + 0.5f * error_function(SQRT_HALF * x); }

// The share of x that a GELU lets through.
template <Activation A>
inline float gate(float x) {
  return A == GELU ? normal_probability(x) : sigmoid(x * (TANH_A + TANH_B * x * x));
}

// A GELU's slope where its gate is known.
template <Activation A>
inline float slope(float x, float gate) {
  if constexpr (A == GELU) return gate + DENSITY_AT_0 * x * exp_negative(-0.5f * x * x);
  return gate + x * gate * (1 - gate) * (TANH_A + 3 * TANH_B * x * x);
}

template <Activation A>
inline float activated(float x) {
  if constexpr (A == RELU) return x < 0 ? 0 : x;
  if constexpr (A == GELU || A == TANH_GELU) return x * gate<A>(x);
  return x;
}

template <Activation A>
inline float slope(float x) {
  if constexpr (A == RELU) return x > 0 ? 1 : 0;
  if constexpr (A == GELU || A == TANH_GELU) return slope<A>(x, gate<A>(x));
  return 1;
}
