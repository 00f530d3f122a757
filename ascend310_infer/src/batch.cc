#include "inc/batch.h"

#include <algorithm>
#include <chrono>

namespace infer {

Batch::Batch(Session& session, std::size_t batch_size, std::size_t input_size)
    : session_(session), batch_size_(batch_size), input_size_(input_size), inputs_(batch_size * input_size, 0.0f) {}

void Batch::add(Prepared picture, std::vector<float>& run_ms) {
  sinks_.push_back(std::move(picture.sink));
  Sink* sink = sinks_.back().get();
  for (std::size_t index = 0; index < picture.num_inputs; ++index) {
    const auto source = picture.inputs.begin() + static_cast<std::ptrdiff_t>(index * input_size_);
    std::copy_n(source, input_size_, inputs_.begin() + static_cast<std::ptrdiff_t>(slots_.size() * input_size_));
    slots_.push_back({sink, index});
    const bool is_last = index + 1 == picture.num_inputs;
    if (slots_.size() == batch_size_) {
      run(run_ms);
      // All pictures but this one are complete; this one is if its last input has run.
      for (auto& other : sinks_) {
        if (other.get() != sink || is_last) other->finish();
      }
      auto unfinished = is_last ? nullptr : std::move(sinks_.back());
      sinks_.clear();
      if (unfinished) sinks_.push_back(std::move(unfinished));
    }
  }
}

void Batch::flush(std::vector<float>& run_ms) {
  if (slots_.empty()) return;
  std::fill(inputs_.begin() + static_cast<std::ptrdiff_t>(slots_.size() * input_size_), inputs_.end(), 0.0f);
  run(run_ms);
  for (auto& sink : sinks_) sink->finish();
  sinks_.clear();
}

void Batch::run(std::vector<float>& run_ms) {
  const auto began = std::chrono::steady_clock::now();
  const float* outputs = session_.run(inputs_.data());
  run_ms.push_back(std::chrono::duration<float, std::milli>(std::chrono::steady_clock::now() - began).count());
  for (std::size_t slot = 0; slot < slots_.size(); ++slot) {
    slots_[slot].sink->take(slots_[slot].index, outputs + slot * session_.output_size());
  }
  slots_.clear();
}

}  // namespace infer
