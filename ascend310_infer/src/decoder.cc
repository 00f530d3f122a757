#include "inc/decoder.h"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <string>
#include <string_view>

#include "inc/errors.h"

namespace infer {
namespace {

constexpr std::uintmax_t kMaxBytes = 1u << 29;
constexpr int kMaxAspect = 1000;

// Whether a JPEG ends before its pixels do: OpenCV would fill the rest with grey and only warn.
bool is_truncated_jpeg(const std::vector<unsigned char>& content) {
  const std::string_view bytes(reinterpret_cast<const char*>(content.data()), content.size());
  if (bytes.substr(0, 2) != "\xff\xd8") return false;
  const auto last_scan = bytes.rfind("\xff\xda");
  return last_scan == bytes.npos || bytes.find("\xff\xd9", last_scan) == bytes.npos;
}

std::vector<unsigned char> content_of(const std::filesystem::path& path) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  if (error) throw Unreadable(error.message());
  if (size > kMaxBytes) throw Unreadable("a file of more than 512 MiB");
  std::vector<unsigned char> content(size);
  std::ifstream file(path, std::ios::binary);
  if (!file.read(reinterpret_cast<char*>(content.data()), static_cast<std::streamsize>(size))) {
    throw Unreadable("cannot be opened");
  }
  return content;
}

}  // namespace

cv::Mat decode_picture(const std::vector<unsigned char>& content) {
  if (content.empty()) throw Unreadable("empty file");
  if (is_truncated_jpeg(content)) throw Unreadable("truncated");
  cv::Mat pixels;
  try {
    pixels = cv::imdecode(content, cv::IMREAD_COLOR);  // upright, of 16 bits the upper 8, transparency dropped
  } catch (const cv::Exception&) {
    throw Unreadable("damaged or too large");
  }
  if (pixels.empty()) throw Unreadable("not an image, or damaged");
  if (std::max(pixels.rows, pixels.cols) > kMaxAspect * std::min(pixels.rows, pixels.cols)) {
    throw Unreadable("one side is more than 1000 times the other");
  }
  cv::cvtColor(pixels, pixels, cv::COLOR_BGR2RGB);
  return pixels;
}

cv::Mat read_picture(const std::filesystem::path& path) { return decode_picture(content_of(path)); }

std::vector<float> read_input(const std::filesystem::path& path, std::size_t size) {
  const auto content = content_of(path);
  std::vector<float> input(size);
  if (content.size() != size * sizeof(float)) {
    throw Unreadable(std::to_string(content.size()) + " bytes, the network's input has " +
                     std::to_string(size * sizeof(float)));
  }
  std::memcpy(input.data(), content.data(), content.size());
  return input;
}

}  // namespace infer
