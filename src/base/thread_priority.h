#pragma once

namespace dendro {

/// Lets the other threads of the machine go before the calling one, for good: nothing gives priority back without
/// privileges. `nice`: 1 to 19. Where the system refuses, nothing changes.
void lower_thread_priority(int nice);

}  // namespace dendro
