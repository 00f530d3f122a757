#include "processor.h"

int has_wide_products() {
#ifdef __AVX512F__
  __builtin_cpu_init();  // this runs while the library is loaded
  return __builtin_cpu_is("intel");
#else
  return 0;
#endif
}
