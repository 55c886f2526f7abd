#pragma once

#include <span>
#include <string>

#include "services/admin/queue_admin.h"

namespace dendro {

// Queues and dead letters as JSON, for the routes and for the command line.

/// `{"items":[{"name":..,"waiting":..,"leased":..,"dead_letters":..,"bytes":..}]}`; `oldest_at`, `oldest_age_s` and
/// `oldest_dead_at` where there is one.
std::string queues_json(std::span<const QueueStatus> queues, Timestamp now);
/// `{"items":[..]}` without bodies, and `next_after` if there are `count_max` of them: more may follow.
std::string dead_letters_json(std::span<const DeadLetter> letters, std::size_t count_max);
/// With `body`; what of it is no UTF-8 is replaced.
std::string dead_letter_json(const DeadLetter& letter);

}  // namespace dendro
