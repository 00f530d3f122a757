// Classification: one centre crop per picture; its logits are NAME_0.bin, float32.
#include "inc/preprocess.h"
#include "inc/result_files.h"
#include "inc/task.h"

namespace infer {
namespace {

class LogitsSink : public Sink {
 public:
  LogitsSink(std::filesystem::path path, std::size_t size) : path_(std::move(path)), size_(size) {}

  void take(std::size_t, const float* output) override { write_file(path_, output, size_ * sizeof(float)); }
  void finish() override {}

 private:
  std::filesystem::path path_;
  std::size_t size_;
};

class Classification : public Task {
 public:
  using Task::Task;

  std::size_t output_size() const override { return card_.class_names.size(); }

  Prepared prepare(const cv::Mat& rgb, const std::filesystem::path& target) const override {
    std::vector<float> input;
    append_input(centre_crop(rgb, card_.crop, card_.image_size), card_.normalization, card_.image_size, input);
    return prepare_input(std::move(input), target);
  }

  Prepared prepare_input(std::vector<float> input, const std::filesystem::path& target) const override {
    return {std::move(input), 1, std::make_unique<LogitsSink>(target.string() + "_0.bin", output_size())};
  }
};

}  // namespace

std::unique_ptr<Task> create_classification(const Card& card) { return std::make_unique<Classification>(card); }

std::unique_ptr<Task> create_task(const Card& card) {
  return card.task == TaskKind::kClassification ? create_classification(card) : create_segmentation(card);
}

}  // namespace infer
