#include "identity/sign_in_rate.h"

#include <algorithm>
#include <cmath>

namespace dendro {

std::chrono::seconds SignInRate::admit(const std::string& place) {
  const std::chrono::nanoseconds now = clock_.monotonic();
  const double most = static_cast<double>(per_minute_);
  const double per_second = most / 60;
  MutexLock lock(mutex_);
  auto bucket = places_.find(place);
  if (bucket == places_.end()) {
    if (places_.size() >= kPlacesMax) make_room_locked();
    bucket = places_.emplace(place, Bucket{most, now}).first;
  }
  Bucket& of_place = bucket->second;
  const double passed_s = std::chrono::duration<double>(now - of_place.filled).count();
  of_place.tokens = std::min(most, of_place.tokens + passed_s * per_second);
  of_place.filled = now;
  if (of_place.tokens < 1) {
    return std::chrono::seconds(std::max<std::int64_t>(1, std::llround(std::ceil((1 - of_place.tokens) / per_second))));
  }
  of_place.tokens -= 1;
  return std::chrono::seconds(0);
}

/// Looks at all of them: 10,000 are a millisecond, a password hash is twenty.
void SignInRate::make_room_locked() {
  places_.erase(std::ranges::min_element(places_, {}, [](const auto& row) { return row.second.filled; }));
}

}  // namespace dendro
