#include "server/routes/queue_routes.h"

#include <charconv>
#include <utility>

#include "base/json_writer.h"
#include "server/routes/admin_body.h"
#include "server/routes/admin_routes.h"
#include "services/admin/queue_json.h"

namespace dendro {
namespace {

constexpr std::string_view kQueuesPath = "/api/v1/admin/queues";
constexpr std::string_view kDeadLettersPath = "/api/v1/admin/queues/{queue}/dead-letters";
constexpr std::size_t kLettersOfAPage = 100;
constexpr std::size_t kLettersOfAPageMax = 1'000;

HttpResponse queue_problem(const Error& error, const HttpRequest& request) {
  return error_response(ErrorShape::problem, error, request.request_id);
}

HttpResponse list_queues(const QueueAdmin& queues, const Clock& clock, const HttpRequest& request) {
  const auto listed = queues.list();
  if (!listed) return queue_problem(listed.error(), request);
  return json_response(200, queues_json(*listed, clock.now()));
}

Result<std::size_t> read_page_size(const HttpRequest& request) {
  const auto text = request.query_param("limit");
  if (!text) return kLettersOfAPage;
  std::size_t count = 0;
  const auto parsed = std::from_chars(text->data(), text->data() + text->size(), count);
  if (parsed.ec == std::errc() && parsed.ptr == text->data() + text->size() && count >= 1 &&
      count <= kLettersOfAPageMax) {
    return count;
  }
  return Error(ErrorCode::invalid_argument,
               "limit: must be a whole number from 1 to " + std::to_string(kLettersOfAPageMax));
}

HttpResponse list_letters(const QueueAdmin& queues, const HttpRequest& request) {
  const Result<std::size_t> count_max = read_page_size(request);
  if (!count_max) return queue_problem(count_max.error(), request);
  const auto letters = queues.dead_letters(request.path_param("queue").value_or(""), *count_max,
                                           request.query_param("after").value_or(""));
  if (!letters) return queue_problem(letters.error(), request);
  return json_response(200, dead_letters_json(*letters, *count_max));
}

HttpResponse show_letter(const QueueAdmin& queues, const HttpRequest& request) {
  const auto letter =
      queues.dead_letter(request.path_param("queue").value_or(""), request.path_param("id").value_or(""));
  if (!letter) return queue_problem(letter.error(), request);
  return json_response(200, dead_letter_json(*letter));
}

/// The one that the body names; nothing: all. Both and neither is an error: nobody drops all by leaving something out.
Result<std::optional<std::string>> read_letter_choice(const HttpRequest& request) {
  DENDRO_TRY_ASSIGN(const AdminBody body, AdminBody::read(request, {"id"}, {"all"}));
  const std::string& id = body.text("id");
  if (id.empty() == body.truth("all")) return id.empty() ? std::optional<std::string>() : std::optional(id);
  return Error(ErrorCode::invalid_argument, R"(name one dead letter with {"id":".."}, or all with {"all":true})");
}

using LetterChange = Result<std::size_t> (QueueAdmin::*)(std::string_view, std::optional<std::string_view>);

HttpResponse change_letters(QueueAdmin& queues, LetterChange change, std::string_view member,
                            const HttpRequest& request) {
  const auto id = read_letter_choice(request);
  if (!id) return queue_problem(id.error(), request);
  const std::optional<std::string_view> chosen = *id ? std::optional<std::string_view>(**id) : std::nullopt;
  const Result<std::size_t> count = (queues.*change)(request.path_param("queue").value_or(""), chosen);
  if (!count) return queue_problem(count.error(), request);
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  json.member(member, *count);
  json.end_object();
  return json_response(200, std::move(body));
}

RouteParam queue_param() {
  return {"queue", ParamPlace::path, true, R"({"type":"string"})", "Its name, as `GET /api/v1/admin/queues` lists it."};
}
RouteReply not_there_reply() {
  return {404, "There is no such queue, or no such dead letter.", "application/problem+json", {}, {}};
}

Route change_route(WorkerPool& pool, QueueAdmin& queues, const std::string& word, const std::string& summary,
                   const std::string& member, LetterChange change) {
  Route route = admin_route("POST", std::string(kDeadLettersPath) + "/" + word, word + "_dead_letters", summary);
  route.use = RouteUse::change;
  route.params = {queue_param()};
  route.request_content_type = "application/json";
  route.request_schema_json = R"({"type":"object","properties":{"id":{"type":"string"},"all":{"type":"boolean"}}})";
  route.request_example = R"({"id":"17"})";
  route.replies = {{200, "How many.", "application/json", {}, "{\"" + member + "\":1}"}, not_there_reply()};
  route.handler = on_workers(pool, [&queues, change, member](const HttpRequest& request) {
    return change_letters(queues, change, member, request);
  });
  return route;
}

Route queues_route(WorkerPool& pool, QueueAdmin& queues, const Clock& clock) {
  Route route = admin_route("GET", std::string(kQueuesPath), "list_queues", "Queues of messages on their way");
  route.use = RouteUse::none;
  route.description =
      "`waiting`: on their way or waiting for another try; `leased`: being delivered; `dead_letters`: given up after "
      "five tries. `oldest_at` is when the oldest of those that are not dead was sent.";
  route.replies = {{200,
                    "The list.",
                    "application/json",
                    {},
                    R"({"items":[{"name":"alerts","waiting":1,"leased":0,"dead_letters":2,"bytes":1840,)"
                    R"("oldest_at":"2026-11-20T10:00:00.000Z","oldest_age_s":12,)"
                    R"("oldest_dead_at":"2026-11-19T10:00:00.000Z"}]})"}};
  route.handler =
      on_workers(pool, [&queues, &clock](const HttpRequest& request) { return list_queues(queues, clock, request); });
  return route;
}

}  // namespace

std::vector<Route> make_queue_routes(WorkerPool& pool, QueueAdmin& queues, const Clock& clock) {
  Route list = admin_route("GET", std::string(kDeadLettersPath), "list_dead_letters", "Messages that were given up");
  list.use = RouteUse::read;
  list.description = "The oldest first, without their bodies.";
  list.params = {
      queue_param(),
      {"limit", ParamPlace::query, false, R"({"type":"integer","minimum":1,"maximum":1000,"default":100})",
       "At most so many."},
      {"after", ParamPlace::query, false, R"({"type":"string"})", "Those behind this id: `next_after` of a page."}};
  list.replies = {{200,
                   "A page; `next_after` is there where more may follow.",
                   "application/json",
                   {},
                   R"({"items":[{"id":"17","receives":5,"sent_at":"2026-11-20T10:00:00.000Z","bytes":420,)"
                   R"("attributes":{"receiver":"ops","dedupe_key":"8f1d"}}]})"},
                  not_there_reply()};
  list.handler = on_workers(pool, [&queues](const HttpRequest& request) { return list_letters(queues, request); });

  Route show = admin_route("GET", std::string(kDeadLettersPath) + "/{id}", "get_dead_letter", "One of them, whole");
  show.use = RouteUse::read;
  show.params = {queue_param(), {"id", ParamPlace::path, true, R"({"type":"string"})", "Of the message."}};
  show.replies = {{200, "With `body`.", "application/json", {}, {}}, not_there_reply()};
  show.handler = on_workers(pool, [&queues](const HttpRequest& request) { return show_letter(queues, request); });

  Route retry = change_route(pool, queues, "retry", "Deliver dead letters after all", "retried", &QueueAdmin::retry);
  retry.description = "As if they were new: five tries, the first at once.";
  Route drop = change_route(pool, queues, "drop", "Forget dead letters", "dropped", &QueueAdmin::drop);
  drop.description = "There is no way back.";
  std::vector<Route> routes;
  routes.push_back(queues_route(pool, queues, clock));
  for (Route* route : {&list, &show, &retry, &drop}) routes.push_back(std::move(*route));
  return routes;
}

}  // namespace dendro
