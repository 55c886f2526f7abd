#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/mutex.h"

namespace dendro {

/// A request as a ScriptedHttpServer saw it; names of headers in lower case.
struct SeenRequest {
  std::string method, path, query, body;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string header(std::string_view name) const {
    for (const auto& [known, value] : headers) {
      if (known == name) return value;
    }
    return "";
  }
};

inline std::string http_reply(int status, const std::string& body, const std::string& more_headers = "") {
  return "HTTP/1.1 " + std::to_string(status) +
         " X\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + more_headers + "\r\n" +
         body;
}

/// A server on a free port of this machine that answers with the very bytes that a test chose: also half ones, wrong
/// ones, or none (""), then it keeps the connection open until it stops. One connection an exchange.
class ScriptedHttpServer {
 public:
  using Script = std::function<std::string(const SeenRequest&)>;

  explicit ScriptedHttpServer(Script script) : script_(std::move(script)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    DENDRO_CHECK(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0 && ::listen(listener_, 16) == 0);
    DENDRO_CHECK(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port_ = ntohs(address.sin_port);
    DENDRO_CHECK(::pipe(stop_) == 0);
    thread_ = std::thread([this] { run(); });
  }
  ~ScriptedHttpServer() {
    ::close(stop_[1]);
    thread_.join();
    ::close(stop_[0]);
    ::close(listener_);
    for (const int fd : silent_) ::close(fd);
  }

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  std::string host() const { return "127.0.0.1:" + std::to_string(port_); }
  std::vector<SeenRequest> seen() {
    MutexLock lock(mutex_);
    return seen_;
  }

 private:
  /// False once the server stops.
  bool wait_readable(int fd) const {
    pollfd waits[2] = {{fd, POLLIN, 0}, {stop_[0], POLLIN, 0}};
    ::poll(waits, 2, -1);
    return waits[1].revents == 0;
  }

  void run() {
    while (wait_readable(listener_)) {
      const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) continue;
      SeenRequest request;
      if (!read_request(fd, request)) {
        ::close(fd);
        continue;
      }
      {
        MutexLock lock(mutex_);
        seen_.push_back(request);
      }
      const std::string reply = script_(request);
      if (reply.empty()) {
        silent_.push_back(fd);
        continue;
      }
      for (std::size_t sent = 0; sent < reply.size();) {
        const ssize_t count = ::send(fd, reply.data() + sent, reply.size() - sent, MSG_NOSIGNAL);
        if (count <= 0) break;
        sent += static_cast<std::size_t>(count);
      }
      ::close(fd);
    }
  }

  bool read_request(int fd, SeenRequest& request) const {
    std::string text;
    std::size_t head_end = std::string::npos;
    std::size_t body_bytes = 0;
    while (head_end == std::string::npos || text.size() < head_end + 4 + body_bytes) {
      if (!wait_readable(fd)) return false;
      char piece[16'384];
      const ssize_t count = ::recv(fd, piece, sizeof piece, 0);
      if (count <= 0) return false;
      text.append(piece, static_cast<std::size_t>(count));
      if (head_end == std::string::npos && (head_end = text.find("\r\n\r\n")) != std::string::npos) {
        read_head(text.substr(0, head_end), request);
        body_bytes = std::strtoul(request.header("content-length").c_str(), nullptr, 10);
      }
    }
    request.body = text.substr(head_end + 4);
    return true;
  }

  static void read_head(const std::string& head, SeenRequest& request) {
    std::size_t first = head.find("\r\n");
    const std::string line = head.substr(0, first);
    request.method = line.substr(0, line.find(' '));
    const std::size_t target = request.method.size() + 1;
    std::string path = line.substr(target, line.find(' ', target) - target);
    const std::size_t question = path.find('?');
    if (question != std::string::npos) request.query = path.substr(question + 1);
    request.path = path.substr(0, question);
    while (first != std::string::npos) {
      const std::size_t last = head.find("\r\n", first + 2);
      const std::string row = head.substr(first + 2, last == std::string::npos ? last : last - first - 2);
      const std::size_t colon = row.find(':');
      std::string name = row.substr(0, colon);
      for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
      request.headers.emplace_back(name, colon == std::string::npos ? "" : row.substr(std::min(colon + 2, row.size())));
      first = last;
    }
  }

  const Script script_;
  int listener_ = -1;
  int stop_[2] = {-1, -1};
  int port_ = 0;
  std::vector<int> silent_;  // of the thread
  Mutex mutex_;
  std::vector<SeenRequest> seen_ DENDRO_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace dendro
