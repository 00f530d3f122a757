// Segmentation: overlapping windows per picture, whose logits are added up; NAME_labels.png and NAME_color.png.
#include <opencv2/imgcodecs.hpp>

#include "inc/errors.h"
#include "inc/preprocess.h"
#include "inc/result_files.h"
#include "inc/task.h"
#include "inc/windows.h"

namespace infer {
namespace {

void write_png(const std::filesystem::path& path, const cv::Mat& pixels) {
  std::vector<unsigned char> content;
  cv::imencode(".png", pixels, content);
  write_file(path, content.data(), content.size());
}

class MapSink : public Sink {
 public:
  MapSink(const Card& card, cv::Size size, std::filesystem::path target)
      : card_(card), size_(size), windows_(windows(size, card.image_size)), target_(std::move(target)) {}

  // A sum has the same largest class as the mean that Python takes: all classes of a pixel have the same windows.
  void take(std::size_t index, const float* output) override {
    sums_.resize(num_classes() * static_cast<std::size_t>(size_.area()), 0.0f);
    const cv::Rect& window = windows_[index];
    const auto side = static_cast<std::size_t>(card_.image_size), width = static_cast<std::size_t>(size_.width);
    for (std::size_t label = 0; label < num_classes(); ++label) {
      for (int row = 0; row < window.height; ++row) {
        const float* source = output + (label * side + static_cast<std::size_t>(row)) * side;
        float* sum = sums_.data() + label * static_cast<std::size_t>(size_.area()) +
                     static_cast<std::size_t>(window.y + row) * width + static_cast<std::size_t>(window.x);
        for (int column = 0; column < window.width; ++column) sum[column] += source[column];
      }
    }
  }

  void finish() override {
    cv::Mat labels(size_, CV_8UC1), colors(size_, CV_8UC3);
    const auto pixels = static_cast<std::size_t>(size_.area());
    for (std::size_t pixel = 0; pixel < pixels; ++pixel) {
      const std::size_t best = best_class(pixel, pixels);
      labels.data[pixel] = card_.label_ids[best];
      for (std::size_t channel = 0; channel < 3; ++channel) {
        colors.data[3 * pixel + channel] = card_.palette[best][2 - channel];  // OpenCV writes BGR
      }
    }
    write_png(target_.string() + "_labels.png", labels);
    write_png(target_.string() + "_color.png", colors);
  }

 private:
  std::size_t num_classes() const { return card_.class_names.size(); }

  std::size_t best_class(std::size_t pixel, std::size_t pixels) const {
    std::size_t best = 0;
    for (std::size_t label = 1; label < num_classes(); ++label) {
      if (sums_[label * pixels + pixel] > sums_[best * pixels + pixel]) best = label;
    }
    return best;
  }

  const Card& card_;
  cv::Size size_;
  std::vector<cv::Rect> windows_;
  std::filesystem::path target_;
  std::vector<float> sums_;  // (classes, H, W)
};

class Segmentation : public Task {
 public:
  using Task::Task;

  std::size_t output_size() const override {
    const auto side = static_cast<std::size_t>(card_.image_size);
    return card_.class_names.size() * side * side;
  }

  Prepared prepare(const cv::Mat& rgb, const std::filesystem::path& target) const override {
    Prepared prepared;
    for (const cv::Rect& window : windows(rgb.size(), card_.image_size)) {
      append_input(rgb(window), card_.normalization, card_.image_size, prepared.inputs);
      ++prepared.num_inputs;
    }
    prepared.sink = std::make_unique<MapSink>(card_, rgb.size(), target);
    return prepared;
  }

  Prepared prepare_input(std::vector<float>, const std::filesystem::path&) const override {
    throw Unreadable("a finished input: segmentation takes pictures");
  }
};

}  // namespace

std::unique_ptr<Task> create_segmentation(const Card& card) { return std::make_unique<Segmentation>(card); }

}  // namespace infer
