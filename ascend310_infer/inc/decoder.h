// Decoder of picture files and of network inputs.
#pragma once

#include <filesystem>
#include <opencv2/core.hpp>
#include <vector>

namespace infer {

// OpenCV reads this variable when it is loaded: the largest picture that it decodes, in pixels.
inline constexpr char kPixelLimitVariable[] = "OPENCV_IO_MAX_IMAGE_PIXELS";
inline constexpr char kPixelLimit[] = "50331648";  // 8192 x 6144, the limit of training and evaluation

// The pixels of a file, upright, RGB, 8 bits. Throws Unreadable.
cv::Mat read_picture(const std::filesystem::path& path);

// The same of a file's content.
cv::Mat decode_picture(const std::vector<unsigned char>& content);

// The `size` float32 values of a network input that scripts/preprocess.py wrote. Throws Unreadable.
std::vector<float> read_input(const std::filesystem::path& path, std::size_t size);

}  // namespace infer
