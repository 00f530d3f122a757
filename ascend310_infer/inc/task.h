// Tasks: what becomes of a picture before and after the network.
#pragma once

#include <filesystem>
#include <memory>
#include <opencv2/core.hpp>
#include <vector>

#include "inc/card.h"

namespace infer {

// Takes the outputs for one picture and writes its result.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual void take(std::size_t index, const float* output) = 0;  // in the order of the inputs
  virtual void finish() = 0;
};

// A picture on its way to the network.
struct Prepared {
  std::vector<float> inputs;  // (number, 3, S, S)
  std::size_t num_inputs = 0;
  std::unique_ptr<Sink> sink;
};

class Task {
 public:
  explicit Task(const Card& card) : card_(card) {}
  virtual ~Task() = default;

  // Values of one input.
  std::size_t input_size() const {
    const auto side = static_cast<std::size_t>(card_.image_size);
    return 3 * side * side;
  }

  // Values of one output.
  virtual std::size_t output_size() const = 0;

  // `target`: path of the result without ending.
  virtual Prepared prepare(const cv::Mat& rgb, const std::filesystem::path& target) const = 0;

  // The same for a finished input (3, S, S). Throws Unreadable if a picture of this task has several inputs.
  virtual Prepared prepare_input(std::vector<float> input, const std::filesystem::path& target) const = 0;

 protected:
  const Card card_;
};

std::unique_ptr<Task> create_task(const Card& card);
std::unique_ptr<Task> create_classification(const Card& card);
std::unique_ptr<Task> create_segmentation(const Card& card);

}  // namespace infer
