#include "base/thread_priority.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace dendro {

void lower_thread_priority(int nice) {
  // Of a thread, not of the process: Linux keeps the value for each.
  (void)::setpriority(PRIO_PROCESS, static_cast<id_t>(::syscall(SYS_gettid)), nice);
}

}  // namespace dendro
