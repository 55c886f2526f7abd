#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace dendro {

void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "dendro: internal check failed: %s at %s:%d\n", condition, file, line);
  std::abort();
}

}  // namespace dendro
