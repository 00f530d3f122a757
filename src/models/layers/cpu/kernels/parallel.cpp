// Threads that sleep until there is a loop to share. Before, they look for one for a moment: the next operator's mostly
// comes sooner than a sleeping thread would wake. Not longer, which would take the cores from the framework's own.
#include "parallel.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

constexpr int64_t SMALLEST_SHARE = 32768;  // numbers for which waking a thread pays
constexpr std::chrono::microseconds MOMENT{30};

// Wait for the condition, for a moment.
template <typename Condition>
void look_for(const Condition &condition) {
  const auto end = std::chrono::steady_clock::now() + MOMENT;
  while (!condition() && std::chrono::steady_clock::now() < end) continue;
}

struct Loop {
  const std::function<void(int64_t)> &work;
  const int64_t num_parts;
  int64_t helpers_wanted;  // guarded by the pool's mutex
  std::atomic<int64_t> next{0}, finished{0};

  Loop(const std::function<void(int64_t)> &work, int64_t num_parts, int64_t helpers_wanted)
      : work(work), num_parts(num_parts), helpers_wanted(helpers_wanted) {}

  // Take parts until none is left. Returns whether this call finished the last one.
  bool run() {
    int64_t done = 0;
    for (int64_t part; (part = next.fetch_add(1)) < num_parts; done++) work(part);
    return done > 0 && finished.fetch_add(done) + done == num_parts;
  }
};

class Pool {
 public:
  void run(int64_t num_parts, int64_t num_threads, const std::function<void(int64_t)> &work) {
    auto loop = std::make_shared<Loop>(work, num_parts, num_threads - 1);
    {
      std::lock_guard<std::mutex> lock(mutex);
      for (; num_helpers < num_threads - 1; num_helpers++) std::thread([this] { help(); }).detach();
      loops.push_back(loop);
      total_wanted += num_threads - 1;
    }
    for (int64_t i = 1; i < num_threads; i++) wake.notify_one();  // not all: a machine may have many more
    loop->run();
    look_for([&] { return loop->finished == num_parts; });
    std::unique_lock<std::mutex> lock(mutex);
    loops.erase(std::find(loops.begin(), loops.end(), loop));
    total_wanted -= loop->helpers_wanted;
    done.wait(lock, [&] { return loop->finished == num_parts; });
  }

 private:
  std::mutex mutex;
  std::condition_variable wake, done;
  std::vector<std::shared_ptr<Loop>> loops;  // those that may still want helpers
  int64_t num_helpers = 0;
  std::atomic<int64_t> total_wanted{0};

  std::shared_ptr<Loop> find() {
    for (auto &loop : loops) {
      if (loop->helpers_wanted == 0) continue;
      loop->helpers_wanted--;
      total_wanted--;
      return loop;
    }
    return nullptr;
  }

  void help() {
    while (true) {
      std::shared_ptr<Loop> loop;
      look_for([&] { return total_wanted > 0; });
      {
        std::unique_lock<std::mutex> lock(mutex);
        wake.wait(lock, [&] { return (loop = find()) != nullptr; });
      }
      if (loop->run()) {
        std::lock_guard<std::mutex> lock(mutex);
        done.notify_all();
      }
    }
  }
};

// Never destroyed: its threads run until the process ends. A forked process has none of them and gets a pool of its own.
Pool &pool() {
  static std::mutex mutex;
  static Pool *current = nullptr;
  static pid_t owner = 0;
  std::lock_guard<std::mutex> lock(mutex);
  if (owner != getpid()) {
    current = new Pool;
    owner = getpid();
  }
  return *current;
}

std::atomic<int64_t> most_threads{1};

}  // namespace

extern "C" void set_num_threads(int number) { most_threads = std::max(number, 1); }

void parallel_for(int64_t num_parts, int64_t work_per_part, const std::function<void(int64_t)> &work) {
  const int64_t num_threads = std::min({most_threads.load(), num_parts, num_parts * work_per_part / SMALLEST_SHARE});
  if (num_threads > 1) {
    pool().run(num_parts, num_threads, work);
  } else {
    for (int64_t part = 0; part < num_parts; part++) work(part);
  }
}
