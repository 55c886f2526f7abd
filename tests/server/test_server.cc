#include "tests/server/test_server.h"

#include <gtest/gtest.h>

namespace dendro {

void TestEvent::set() {
  MutexLock lock(mutex_);
  is_set_ = true;
  is_set_changed_.notify_all();
}

bool TestEvent::wait() {
  const auto last = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  MutexLock lock(mutex_);
  while (!is_set_ && std::chrono::steady_clock::now() < last) {
    is_set_changed_.wait_for(mutex_, std::chrono::milliseconds(100));
  }
  return is_set_;
}

bool TestEvent::wait_briefly() {
  MutexLock lock(mutex_);
  if (!is_set_) is_set_changed_.wait_for(mutex_, std::chrono::milliseconds(5));
  return is_set_;
}

Route& TestServer::add(std::string method, std::string path, HttpHandler handler) {
  Route route;
  route.method = std::move(method);
  route.path = std::move(path);
  route.on = profiles(Profile::platform, Profile::analytics, Profile::ingest);
  route.operation_id = "op_" + std::to_string(routes.size());
  route.group = "Test";
  route.summary = "A row of the tests.";
  route.handler = std::move(handler);
  routes.push_back(std::move(route));
  return routes.back();
}

Route& TestServer::add_plain(std::string method, std::string path,
                             std::function<HttpResponse(const HttpRequest&)> make) {
  return add(std::move(method), std::move(path),
             [make = std::move(make)](std::shared_ptr<const HttpRequest> request, Responder respond) {
               respond(make(*request));
             });
}

void TestServer::add_usual() {
  add_plain("GET", "/hello", [](const HttpRequest&) { return plain_text("hello"); });
  add_plain("POST", "/echo", [](const HttpRequest& request) { return plain_text(request.body); });
}

void TestServer::start(Profile profile) {
  if (listeners.empty()) listeners.push_back({.address = "127.0.0.1", .port = 0, .profile = profile});
  if (options.loop_threads == 0) options.loop_threads = 2;
  options.limits.sweep_interval = std::chrono::milliseconds(5);
  auto watch = TlsWatch::open(listeners, clock);
  ASSERT_TRUE(watch) << watch.error().message();
  tls = std::move(watch).value();
  auto started = HttpServer::start(
      options, listeners, routes,
      {.clock = clock, .random = random, .workers = workers, .metrics = metrics, .access = access, .tls = tls.get()});
  ASSERT_TRUE(started) << started.error().message();
  server = std::move(started).value();
}

std::string get(std::string_view path, std::string_view lines) {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\n" + std::string(lines) + "\r\n";
}

std::string post(std::string_view path, std::string_view body, std::string_view lines) {
  return "POST " + std::string(path) +
         " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         std::string(lines) + "\r\n" + std::string(body);
}

HttpResponse plain_text(std::string text) {
  HttpResponse response;
  response.content_type = "text/plain; charset=utf-8";
  response.body = std::move(text);
  return response;
}

}  // namespace dendro
