#include "inc/windows.h"

#include <algorithm>

namespace infer {
namespace {

// First pixels of the windows along a side: multiples of the stride; the last window ends with the picture.
std::vector<int> starts(int length, int side) {
  const int stride = (2 * side + 2) / 3;  // two thirds, rounded up
  const int more = std::max((length - side + stride - 1) / stride, 0);
  std::vector<int> result;
  for (int index = 0; index <= more; ++index) result.push_back(std::max(std::min(index * stride, length - side), 0));
  return result;
}

}  // namespace

std::vector<cv::Rect> windows(cv::Size picture, int side) {
  std::vector<cv::Rect> result;
  for (const int top : starts(picture.height, side)) {
    for (const int left : starts(picture.width, side)) {
      result.push_back(cv::Rect(left, top, side, side) & cv::Rect({0, 0}, picture));
    }
  }
  return result;
}

}  // namespace infer
