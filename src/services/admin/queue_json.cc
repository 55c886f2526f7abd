#include "services/admin/queue_json.h"

#include <algorithm>

#include "base/json_writer.h"

namespace dendro {
namespace {

void write_queue(JsonWriter& json, const QueueStatus& queue, Timestamp now) {
  const QueueDepth& depth = queue.depth;
  json.begin_object();
  json.member("name", queue.name);
  json.member("waiting", depth.waiting);
  json.member("leased", depth.leased);
  json.member("dead_letters", depth.dead);
  json.member("bytes", depth.bytes);
  if (depth.oldest != Timestamp()) {
    json.member("oldest_at", to_rfc3339(depth.oldest, 3));
    json.member("oldest_age_s", std::max<std::int64_t>(0, now.number() - depth.oldest.number()) / kNanosPerSecond);
  }
  if (depth.oldest_dead != Timestamp()) json.member("oldest_dead_at", to_rfc3339(depth.oldest_dead, 3));
  json.end_object();
}

void write_letter_members(JsonWriter& json, const DeadLetter& letter) {
  json.member("id", letter.id);
  json.member("receives", letter.receive_count);
  json.member("sent_at", to_rfc3339(letter.sent, 3));
  json.member("bytes", letter.message.bytes());
  json.key("attributes");
  json.begin_object();
  for (const auto& [name, value] : letter.message.attributes) json.member(name, value);
  json.end_object();
}

}  // namespace

std::string queues_json(std::span<const QueueStatus> queues, Timestamp now) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.key("items");
  json.begin_array();
  for (const QueueStatus& queue : queues) write_queue(json, queue, now);
  json.end_array();
  json.end_object();
  return text;
}

std::string dead_letters_json(std::span<const DeadLetter> letters, std::size_t count_max) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.key("items");
  json.begin_array();
  for (const DeadLetter& letter : letters) {
    json.begin_object();
    write_letter_members(json, letter);
    json.end_object();
  }
  json.end_array();
  if (!letters.empty() && letters.size() == count_max) json.member("next_after", letters.back().id);
  json.end_object();
  return text;
}

std::string dead_letter_json(const DeadLetter& letter) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  write_letter_members(json, letter);
  json.member("body", letter.message.body);
  json.end_object();
  return text;
}

}  // namespace dendro
