#include "inc/pillow_resize.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace infer {
namespace {

// Pillow computes 8-bit pixels with weights of 22 binary places.
constexpr int kPrecision = 22;

// The source pixels of one result pixel along an axis.
struct Taps {
  int first = 0;
  std::vector<int> weights;  // times 2^22
};

double bilinear(double x) { return std::max(1.0 - std::abs(x), 0.0); }

double bicubic(double x) {  // a = -0.5
  x = std::abs(x);
  if (x < 1.0) return (1.5 * x - 2.5) * x * x + 1.0;
  return x < 2.0 ? ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0 : 0.0;
}

std::vector<int> fixed_point(const std::vector<double>& weights) {
  double sum = 0.0;
  for (const double weight : weights) sum += weight;
  std::vector<int> fixed;
  for (const double weight : weights) {
    const double scaled = (sum != 0.0 ? weight / sum : weight) * (1 << kPrecision);
    fixed.push_back(static_cast<int>(scaled < 0 ? scaled - 0.5 : scaled + 0.5));
  }
  return fixed;
}

std::vector<Taps> taps_of(int old_side, int new_side, Interpolation interpolation) {
  const bool is_cubic = interpolation == Interpolation::kBicubic;
  const double scale = static_cast<double>(old_side) / new_side;
  const double stretch = std::max(scale, 1.0), reach = (is_cubic ? 2.0 : 1.0) * stretch;
  std::vector<Taps> taps(static_cast<std::size_t>(new_side));
  for (int index = 0; index < new_side; ++index) {
    const double centre = (index + 0.5) * scale;
    const int first = std::max(static_cast<int>(centre - reach + 0.5), 0);
    const int end = std::min(static_cast<int>(centre + reach + 0.5), old_side);
    std::vector<double> weights;
    for (int source = first; source < end; ++source) {
      const double distance = (source - centre + 0.5) / stretch;
      weights.push_back(is_cubic ? bicubic(distance) : bilinear(distance));
    }
    taps[static_cast<std::size_t>(index)] = {first, fixed_point(weights)};
  }
  return taps;
}

// The weighted sum of 3-channel pixels that lie `step` bytes apart.
void blend(const unsigned char* source, std::size_t step, const Taps& taps, unsigned char* result) {
  int sums[3] = {1 << (kPrecision - 1), 1 << (kPrecision - 1), 1 << (kPrecision - 1)};
  source += static_cast<std::size_t>(taps.first) * step;
  for (const int weight : taps.weights) {
    for (int channel = 0; channel < 3; ++channel) sums[channel] += source[channel] * weight;
    source += step;
  }
  for (int channel = 0; channel < 3; ++channel) {
    result[channel] = static_cast<unsigned char>(std::clamp(sums[channel] >> kPrecision, 0, 255));
  }
}

cv::Mat resize_width(const cv::Mat& pixels, int width, Interpolation interpolation) {
  const auto taps = taps_of(pixels.cols, width, interpolation);
  cv::Mat result(pixels.rows, width, CV_8UC3);
  for (int row = 0; row < result.rows; ++row) {
    for (int column = 0; column < width; ++column) {
      blend(pixels.ptr(row), 3, taps[static_cast<std::size_t>(column)], result.ptr(row, column));
    }
  }
  return result;
}

cv::Mat resize_height(const cv::Mat& pixels, int height, Interpolation interpolation) {
  const auto taps = taps_of(pixels.rows, height, interpolation);
  cv::Mat result(height, pixels.cols, CV_8UC3);
  for (int row = 0; row < height; ++row) {
    for (int column = 0; column < result.cols; ++column) {
      blend(pixels.ptr(0, column), pixels.step, taps[static_cast<std::size_t>(row)], result.ptr(row, column));
    }
  }
  return result;
}

}  // namespace

cv::Mat pillow_resize(const cv::Mat& pixels, cv::Size size, Interpolation interpolation) {
  const cv::Mat wide = size.width == pixels.cols ? pixels : resize_width(pixels, size.width, interpolation);
  return size.height == wide.rows ? wide : resize_height(wide, size.height, interpolation);
}

}  // namespace infer
