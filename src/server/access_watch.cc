#include "server/access_watch.h"

#include <utility>

namespace dendro {

AccessWatch::AccessWatch(Authenticator& authenticator, WorkerPool& workers, Credential credential,
                         PrincipalPtr principal, std::function<void(std::function<void()>)> post,
                         std::function<void()> lost)
    : authenticator_(authenticator),
      workers_(workers),
      credential_(std::move(credential)),
      principal_(std::move(principal)),
      post_(std::move(post)),
      lost_(std::move(lost)),
      // The stream was admitted a moment ago, perhaps before a change: the first sweep looks in any case.
      seen_generation_(authenticator.generation() - 1) {}

void AccessWatch::sweep(Timestamp now) {
  if (is_looking_ || !lost_) return;
  const std::uint64_t generation = authenticator_.generation();
  const bool is_over = principal_->expires && *principal_->expires <= now;
  if (generation == seen_generation_ && !is_over) return;
  if (is_over) return answer(false);
  seen_generation_ = generation;
  look();
}

void AccessWatch::look() {
  auto task = [self = shared_from_this()] {
    const bool holds = self->authenticator_.still_holds(self->credential_, *self->principal_);
    self->post_([self, holds] { self->answer(holds); });
  };
  is_looking_ = workers_.submit(std::move(task)).has_value();
  if (!is_looking_) --seen_generation_;  // the workers are full: the next sweep tries again
}

void AccessWatch::answer(bool holds) {
  is_looking_ = false;
  if (holds || !lost_) return;
  std::exchange(lost_, nullptr)();
}

}  // namespace dendro
