#include "inc/pipeline.h"

#include <atomic>
#include <chrono>
#include <exception>
#include <iostream>
#include <mutex>
#include <thread>

#include "inc/batch.h"
#include "inc/bounded_queue.h"
#include "inc/decoder.h"
#include "inc/errors.h"
#include "inc/result_files.h"

namespace infer {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point began) { return std::chrono::duration<double>(Clock::now() - began).count(); }

// A line every five seconds.
class Progress {
 public:
  explicit Progress(std::size_t total) : total_(total) {}

  void advance() {
    ++done_;
    const double now = seconds_since(began_);
    if (now < next_) return;
    next_ = now + 5.0;
    std::cerr << done_ << " of " << total_ << " pictures, " << static_cast<int>(static_cast<double>(done_) / now)
              << " per second\n";
  }

 private:
  std::size_t total_, done_ = 0;
  Clock::time_point began_ = Clock::now();
  double next_ = 5.0;
};

class Pipeline {
 public:
  Pipeline(Backend& backend, const Task& task, const Pictures& pictures, const PipelineOptions& options)
      : backend_(backend),
        task_(task),
        pictures_(pictures),
        options_(options),
        batch_size_(static_cast<std::size_t>(backend.batch_size())),
        queue_(2 * batch_size_ + 2),
        progress_(pictures.files.size()) {}

  Outcome run() {
    std::vector<std::unique_ptr<Session>> sessions;
    for (int index = 0; index < options_.num_threads; ++index) sessions.push_back(ready_session());
    const auto began = Clock::now();
    std::vector<std::thread> readers, workers;
    for (auto& session : sessions) {
      readers.emplace_back([this] { guarded([this] { read(); }); });
      workers.emplace_back([this, &session] { guarded([&] { infer(*session); }); });
    }
    for (auto& thread : readers) thread.join();
    queue_.close();
    for (auto& thread : workers) thread.join();
    if (failure_) std::rethrow_exception(failure_);
    outcome_.timing.seconds = seconds_since(began);
    outcome_.timing.num_pictures = pictures_.files.size() - outcome_.skipped.size();
    return std::move(outcome_);
  }

 private:
  std::unique_ptr<Session> ready_session() {
    auto session = backend_.open_session();
    if (session->output_size() != task_.output_size()) {
      throw UserError("the model has " + std::to_string(session->output_size()) + " outputs per picture, its JSON says " +
                      std::to_string(task_.output_size()) + ": export it again");
    }
    const std::vector<float> zeros(batch_size_ * input_size(), 0.0f);
    for (int index = 0; index < options_.warm_up; ++index) session->run(zeros.data());
    return session;
  }

  std::size_t input_size() const { return task_.input_size(); }

  // Keeps the first error, and lets the other threads end.
  template <typename Work>
  void guarded(Work work) {
    try {
      work();
    } catch (...) {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (!failure_) failure_ = std::current_exception();
      stopped_ = true;
      queue_.close();
    }
  }

  Prepared prepare(const std::filesystem::path& file, const std::filesystem::path& target) const {
    if (file.extension() == kInputEnding) return task_.prepare_input(read_input(file, input_size()), target);
    return task_.prepare(read_picture(file), target);
  }

  void read() {
    for (std::size_t index = next_++; index < pictures_.files.size() && !stopped_; index = next_++) {
      const auto& file = pictures_.files[index];
      try {
        const auto target = options_.results / result_name(file);
        Prepared prepared = prepare(options_.folder / file, target);
        make_folder(target.parent_path());
        if (!queue_.push(std::move(prepared))) return;
      } catch (const Unreadable& reason) {
        const std::lock_guard<std::mutex> lock(mutex_);
        outcome_.skipped.push_back(file.string() + ": " + reason.what());
      }
    }
  }

  void infer(Session& session) {
    std::vector<float> run_ms;
    Batch batch(session, batch_size_, input_size());
    while (!stopped_) {
      auto prepared = queue_.pop();
      if (!prepared) break;
      batch.add(std::move(*prepared), run_ms);
      const std::lock_guard<std::mutex> lock(mutex_);
      progress_.advance();
    }
    if (stopped_) return;
    batch.flush(run_ms);
    const std::lock_guard<std::mutex> lock(mutex_);
    outcome_.timing.run_ms.insert(outcome_.timing.run_ms.end(), run_ms.begin(), run_ms.end());
  }

  Backend& backend_;
  const Task& task_;
  const Pictures& pictures_;
  const PipelineOptions& options_;
  const std::size_t batch_size_;
  BoundedQueue<Prepared> queue_;
  std::atomic<std::size_t> next_{0};
  std::atomic<bool> stopped_{false};
  std::mutex mutex_;  // of what follows
  Progress progress_;
  Outcome outcome_;
  std::exception_ptr failure_;
};

}  // namespace

Outcome run_pipeline(Backend& backend, const Task& task, const Pictures& pictures, const PipelineOptions& options) {
  return Pipeline(backend, task, pictures, options).run();
}

}  // namespace infer
