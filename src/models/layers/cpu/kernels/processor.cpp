#include "processor.h"

int has_wide_products() {
#ifdef __AVX512F__
  return __builtin_cpu_is("intel");
#else
  return 0;
#endif
}
