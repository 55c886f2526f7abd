#include "tests/server/raw_client.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace dendro {
namespace {

constexpr timeval kPatience{.tv_sec = 10, .tv_usec = 0};

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

void parse_fields(RawReply& reply) {
  std::string_view rest = reply.head;
  rest.remove_prefix(std::min(rest.find("\r\n") + 2, rest.size()));
  while (!rest.empty()) {
    const std::size_t end = rest.find("\r\n");
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end + 2);
    const std::size_t colon = line.find(": ");
    if (colon == std::string_view::npos) continue;
    reply.fields[lower(std::string(line.substr(0, colon)))] = line.substr(colon + 2);
  }
}

}  // namespace

std::string RawReply::field(const std::string& name) const {
  const auto found = fields.find(name);
  return found == fields.end() ? std::string() : found->second;
}

RawClient::RawClient(std::uint16_t port, const std::string& address) {
  const bool is_v6 = address.find(':') != std::string::npos;
  fd_ = ::socket(is_v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
  ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  v4.sin_family = AF_INET;
  v6.sin6_family = AF_INET6;
  v4.sin_port = v6.sin6_port = htons(port);
  ::inet_pton(AF_INET, address.c_str(), &v4.sin_addr);
  ::inet_pton(AF_INET6, address.c_str(), &v6.sin6_addr);
  const auto* const place = is_v6 ? reinterpret_cast<const sockaddr*>(&v6) : reinterpret_cast<const sockaddr*>(&v4);
  if (::connect(fd_, place, is_v6 ? sizeof v6 : sizeof v4) != 0) close();
}

RawClient::~RawClient() {
  close();
}

bool RawClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send_bytes(bytes.data(), bytes.size());
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

void RawClient::half_close() {
  ::shutdown(fd_, SHUT_WR);
}

void RawClient::reset() {
  const linger hard{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  close();
}

void RawClient::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

ssize_t RawClient::receive_bytes(char* out, std::size_t size) {
  return ::recv(fd_, out, size, 0);
}
ssize_t RawClient::send_bytes(const char* bytes, std::size_t size) {
  return ::send(fd_, bytes, size, MSG_NOSIGNAL);
}

bool RawClient::fill() {
  char bytes[65536];
  const ssize_t count = receive_bytes(bytes, sizeof bytes);
  if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) ADD_FAILURE() << "the server sent nothing for 10 s";
  if (count <= 0) return false;
  buffer_.append(bytes, static_cast<std::size_t>(count));
  return true;
}

bool RawClient::read_until(std::string_view mark, std::string& out) {
  std::size_t found = 0;
  while ((found = buffer_.find(mark)) == std::string::npos) {
    if (!fill()) return false;
  }
  out = buffer_.substr(0, found + mark.size());
  buffer_.erase(0, out.size());
  return true;
}

bool RawClient::read_count(std::size_t count, std::string& out) {
  while (buffer_.size() < count && fill()) {
  }
  const std::size_t got = std::min(count, buffer_.size());
  out.append(buffer_, 0, got);
  buffer_.erase(0, got);
  return got == count;
}

bool RawClient::read_chunks(std::string& out) {
  while (true) {
    std::string line;
    if (!read_until("\r\n", line)) return false;
    const std::size_t size = std::stoul(line, nullptr, 16);
    if (!read_count(size, out)) return false;
    if (!read_until("\r\n", line)) return false;
    if (size == 0) return true;
  }
}

RawReply RawClient::read_head() {
  RawReply reply;
  if (!read_until("\r\n\r\n", reply.head)) return reply;
  reply.status = std::stoi(reply.head.substr(9, 3));
  parse_fields(reply);
  return reply;
}

RawReply RawClient::read_reply(bool to_head) {
  RawReply reply = read_head();
  if (reply.status == 0) return reply;
  const bool is_bodiless = to_head || reply.status == 204 || reply.status == 304 || reply.status == 100;
  if (is_bodiless) {
    reply.is_whole = true;
  } else if (reply.field("transfer-encoding") == "chunked") {
    reply.is_whole = read_chunks(reply.body);
  } else if (reply.fields.contains("content-length")) {
    reply.is_whole = read_count(std::stoul(reply.field("content-length")), reply.body);
  } else {
    while (fill()) {
    }
    reply.body.swap(buffer_);
    reply.is_whole = true;
  }
  return reply;
}

std::string RawClient::read_some() {
  if (buffer_.empty()) fill();
  return std::exchange(buffer_, std::string());
}

bool RawClient::is_closed_by_peer() {
  return buffer_.empty() && !fill();
}

RawReply RawClient::ask(std::string_view bytes) {
  send(bytes);
  return read_reply();
}

}  // namespace dendro
