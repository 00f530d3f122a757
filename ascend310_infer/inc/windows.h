// Windows that cover a large picture; they overlap by a third, as in the evaluation in Python.
#pragma once

#include <opencv2/core.hpp>
#include <vector>

namespace infer {

// Row by row; smaller than `side` if the picture is.
std::vector<cv::Rect> windows(cv::Size picture, int side);

}  // namespace infer
