#include "inc/preprocess.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <opencv2/imgproc.hpp>

#include "inc/pillow_resize.h"

namespace infer {
namespace {

// The first pixel of the crop along a side.
int crop_offset(int side, int size, Library library) {
  if (library == Library::kOpenCV) return (side - size) / 2;
  return static_cast<int>(std::nearbyint((side - size) / 2.0));  // half to even
}

cv::Mat resized(const cv::Mat& rgb, cv::Size size, const CentreCrop& crop) {
  if (crop.library == Library::kPillow) return pillow_resize(rgb, size, crop.interpolation);
  cv::Mat result;
  const bool is_cubic = crop.interpolation == Interpolation::kBicubic;
  cv::resize(rgb, result, size, 0, 0, is_cubic ? cv::INTER_CUBIC : cv::INTER_LINEAR);
  return result;
}

}  // namespace

cv::Mat centre_crop(const cv::Mat& rgb, const CentreCrop& crop, int image_size) {
  const std::int64_t shorter = std::min(rgb.rows, rgb.cols);
  const auto side = [&](int length) { return static_cast<int>(std::int64_t{crop.resize} * length / shorter); };
  const cv::Mat pixels = resized(rgb, {side(rgb.cols), side(rgb.rows)}, crop);
  const int left = crop_offset(pixels.cols, image_size, crop.library);
  const int top = crop_offset(pixels.rows, image_size, crop.library);
  return pixels(cv::Rect(left, top, image_size, image_size));
}

void append_input(const cv::Mat& rgb, const Normalization& normalization, int image_size, std::vector<float>& inputs) {
  const auto side = static_cast<std::size_t>(image_size), plane = side * side, start = inputs.size();
  inputs.resize(start + 3 * plane, 0.0f);
  for (int row = 0; row < rgb.rows; ++row) {
    const unsigned char* source = rgb.ptr(row);
    float* result = inputs.data() + start + static_cast<std::size_t>(row) * side;
    for (int column = 0; column < rgb.cols; ++column, source += 3, ++result) {
      for (std::size_t channel = 0; channel < 3; ++channel) {
        const float value = source[normalization.is_rgb ? channel : 2 - channel];
        result[channel * plane] = (value - normalization.mean[channel]) / normalization.std[channel];
      }
    }
  }
}

}  // namespace infer
