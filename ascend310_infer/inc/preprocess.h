// Network inputs from pictures, as the evaluation in Python computes them.
#pragma once

#include <opencv2/core.hpp>
#include <vector>

#include "inc/card.h"

namespace infer {

// The upright RGB picture, resized and cropped in the centre: (S, S), 8 bits.
cv::Mat centre_crop(const cv::Mat& rgb, const CentreCrop& crop, int image_size);

// Normalised channels of `rgb`, appended to `inputs` as (3, S, S); zeros below and on the right of a smaller picture.
void append_input(const cv::Mat& rgb, const Normalization& normalization, int image_size, std::vector<float>& inputs);

}  // namespace infer
