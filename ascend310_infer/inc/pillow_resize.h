// Resize as Pillow does it: shrinking averages over all pixels that it covers.
#pragma once

#include <opencv2/core.hpp>

#include "inc/card.h"

namespace infer {

// `pixels` (8 bits, 3 channels) in another size, equal to Pillow's Image.resize.
cv::Mat pillow_resize(const cv::Mat& pixels, cv::Size size, Interpolation interpolation);

}  // namespace infer
