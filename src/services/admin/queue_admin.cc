#include "services/admin/queue_admin.h"

#include "io/queue_ledger.h"

namespace dendro {
namespace {

/// What a queue says of an id that is none of a dead letter is 0; an operator who named one must hear it.
Result<std::size_t> refuse_none(const Result<std::size_t>& count, std::optional<std::string_view> id) {
  if (count && *count == 0 && id) return no_such_dead_letter(*id);
  return count;
}

}  // namespace

Result<Queue*> QueueAdmin::find(std::string_view name) const {
  for (const NamedQueue& one : queues_) {
    if (one.name == name) return one.queue;
  }
  return Error(ErrorCode::not_found, "there is no queue \"" + std::string(name) + "\"");
}

Result<std::vector<QueueStatus>> QueueAdmin::list() const {
  std::vector<QueueStatus> statuses;
  for (const NamedQueue& one : queues_) {
    DENDRO_TRY_ASSIGN(const QueueDepth depth, one.queue->depth());
    statuses.push_back({one.name, depth});
  }
  return statuses;
}

Result<std::vector<DeadLetter>> QueueAdmin::dead_letters(std::string_view queue, std::size_t count_max,
                                                         std::string_view after) const {
  DENDRO_TRY_ASSIGN(Queue* const found, find(queue));
  return found->dead_letters(count_max, after);
}

Result<DeadLetter> QueueAdmin::dead_letter(std::string_view queue, std::string_view id) const {
  DENDRO_TRY_ASSIGN(Queue* const found, find(queue));
  return found->dead_letter(id);
}

Result<std::size_t> QueueAdmin::retry(std::string_view queue, std::optional<std::string_view> id) {
  DENDRO_TRY_ASSIGN(Queue* const found, find(queue));
  return refuse_none(found->redrive(id), id);
}

Result<std::size_t> QueueAdmin::drop(std::string_view queue, std::optional<std::string_view> id) {
  DENDRO_TRY_ASSIGN(Queue* const found, find(queue));
  return refuse_none(found->drop(id), id);
}

}  // namespace dendro
