// Memory for a kernel's intermediate numbers.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <sys/mman.h>

// A place for numbers, as long as it lives. That of a thread (`static thread_local`) serves each of its parts: fresh pages
// cost as much as a tenth of the work.
class Space {
 public:
  // For `count` numbers, whatever they are. It begins with a cache line: vectors that lie in two lines each take the
  // products of a core with wide registers 1.4 times as long.
  float *place(int64_t count) {
    if (count > size) allocate(count);
    return numbers.get();
  }

 private:
  static constexpr int64_t LINE = 64, HUGE_PAGE = 2 << 20;

  struct Free {
    void operator()(float *numbers) const { std::free(numbers); }
  };
  std::unique_ptr<float[], Free> numbers;
  int64_t size = 0;

  // Much memory lies in huge pages where the system has them: going through many megabytes takes a tenth longer in small
  // ones.
  void allocate(int64_t count) {
    const int64_t unit = count * int64_t(sizeof(float)) < HUGE_PAGE / 2 ? LINE : HUGE_PAGE;
    const int64_t num_bytes = (count * int64_t(sizeof(float)) + unit - 1) / unit * unit;
    numbers.reset();  // first, so that not both are held
    size = 0;
    numbers.reset(static_cast<float *>(std::aligned_alloc(unit, num_bytes)));
    if (!numbers) throw std::bad_alloc();
#ifdef MADV_HUGEPAGE
    if (unit == HUGE_PAGE) madvise(numbers.get(), num_bytes, MADV_HUGEPAGE);
#endif
    size = count;
  }
};
