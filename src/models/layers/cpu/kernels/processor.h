// What is known of this processor.
#pragma once

// Whether products of 16 numbers at a time outpace the framework's, which are of 8 (`src/runtime/device.py`): measured
// on Intel's processors (1.7 times); AMD's Zen 4 takes two steps for 16 numbers.
extern "C" int has_wide_products();
inline const bool WIDE_PRODUCTS = has_wide_products();
