// Numbers that are computed with together.
#pragma once

#include <cstdint>

constexpr int WIDTH = 16;
typedef float Vector __attribute__((vector_size(4 * WIDTH), aligned(4)));  // at the address of any number

constexpr int64_t LANES = 8;  // where fewer fit better
typedef float Lanes __attribute__((vector_size(4 * LANES), aligned(4)));
