// An HTTP/1.1 loader for the benchmark of the storage engine: sends a file, mapped and read beforehand, as POST bodies
// over kept-alive connections, from one thread with epoll, so that it takes little from the server beside it.
//
//   engine_load --url http://127.0.0.1:8080/api/v1/ingest --file nezha.ndjson --connections 4
//   engine_load --sink --file nezha.ndjson          what the loader itself reaches: at least 1 GB/s is needed
//
// One JSON line on stdout, text for people on stderr. Exit code 0 if every batch ended with a 2xx, 1 if not, 2 usage.
//
// Latency is counted from the moment a batch should have been sent (with a rate limit) or was handed to a connection
// (without), to its 2xx, waiting and retries after 429 and 503 included: no coordinated omission.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <queue>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

constexpr std::size_t kMaxReplyBytes = 16 << 20;
constexpr int kMaxReconnectsInARow = 20;

[[noreturn]] void fail(const std::string& text, int code = 1) {
  std::fprintf(stderr, "engine_load: %s\n", text.c_str());
  std::exit(code);
}

[[noreturn]] void fail_errno(const std::string& what) {
  fail(what + ": " + std::strerror(errno));
}

double seconds_of(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

double now_s() {
  return seconds_of(CLOCK_MONOTONIC);
}

// ---- options ----

constexpr const char* kUsage = R"(Usage: engine_load --url URL --file FILE [OPTIONS]
       engine_load --sink --file FILE [OPTIONS]
  --url URL             http://HOST:PORT/PATH?QUERY
  --sink                send to a sink of our own on loopback, on a second thread
  --file FILE           text, a record a line; a part ends at a line end
  --header 'NAME: V'    a header of every request, repeatable
  --batch-bytes N       cut at the last line end within N bytes; default 1048576
  --batch-records N     N lines a request instead
  --connections N       default 1
  --rate-mb X           send X MB (10^6 bytes) a second at most
  --rate-rps X          send X requests a second at most
  --requests N          stop after N requests, beginning the file again where it is shorter
  --repeat N            send the file N times; default 1
  --seconds S           send nothing new after S seconds (with --requests and --repeat: whichever comes first)
  --timeline-ms N       also print acknowledged MB of every N ms
  --server-pid PID      also print CPU seconds that process used up to the last 2xx
)";

struct Options {
  std::string host, port, target, file;
  std::vector<std::string> headers;
  bool sink = false;
  std::size_t batch_bytes = 1 << 20, batch_records = 0, connections = 1, requests = 0, repeat = 1, timeline_ms = 0;
  double rate_mb = 0, rate_rps = 0, seconds = 0;
  int server_pid = 0;
};

double number_of(std::string_view name, const char* text) {
  char* end = nullptr;
  const double value = std::strtod(text, &end);
  if (end == text || *end != '\0' || !(value >= 0)) fail(std::string(name) + ": not a number: " + text, 2);
  return value;
}

void split_url(std::string_view url, Options& options) {
  constexpr std::string_view kScheme = "http://";
  if (!url.starts_with(kScheme)) fail("--url must begin with http://", 2);
  url.remove_prefix(kScheme.size());
  const std::size_t slash = std::min(url.find('/'), url.size());
  const std::string_view authority = url.substr(0, slash);
  const std::size_t colon = authority.rfind(':');
  if (colon == std::string_view::npos) fail("--url needs a port", 2);
  options.host = authority.substr(0, colon);
  options.port = authority.substr(colon + 1);
  options.target = slash < url.size() ? url.substr(slash) : std::string_view("/");
}

Options parse_options(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--help" || name == "-h") {
      std::fputs(kUsage, stdout);
      std::exit(0);
    }
    if (name == "--sink") {
      options.sink = true;
      continue;
    }
    if (i + 1 >= argc) fail(std::string(name) + " needs a value, or is unknown\n" + kUsage, 2);
    const char* value = argv[++i];
    const auto size = [&] { return static_cast<std::size_t>(number_of(name, value)); };
    if (name == "--url") {
      split_url(value, options);
    } else if (name == "--file") {
      options.file = value;
    } else if (name == "--header") {
      options.headers.emplace_back(value);
    } else if (name == "--batch-bytes") {
      options.batch_bytes = size();
    } else if (name == "--batch-records") {
      options.batch_records = size();
    } else if (name == "--connections") {
      options.connections = size();
    } else if (name == "--requests") {
      options.requests = size();
    } else if (name == "--repeat") {
      options.repeat = size();
    } else if (name == "--timeline-ms") {
      options.timeline_ms = size();
    } else if (name == "--rate-mb") {
      options.rate_mb = number_of(name, value);
    } else if (name == "--rate-rps") {
      options.rate_rps = number_of(name, value);
    } else if (name == "--seconds") {
      options.seconds = number_of(name, value);
    } else if (name == "--server-pid") {
      options.server_pid = static_cast<int>(number_of(name, value));
    } else {
      fail("unknown option " + std::string(name) + "\n" + kUsage, 2);
    }
  }
  if (options.file.empty() || (options.host.empty() && !options.sink)) fail(std::string("usage\n") + kUsage, 2);
  if (options.connections == 0 || options.batch_bytes == 0 || options.repeat == 0) fail("a count is 0", 2);
  if (options.rate_mb > 0 && options.rate_rps > 0) fail("--rate-mb or --rate-rps, not both", 2);
  return options;
}

// ---- the file and its parts ----

/// Lives until the program ends.
std::string_view map_file(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) fail_errno(path);
  struct stat info{};
  if (fstat(fd, &info) != 0) fail_errno(path);
  const auto size = static_cast<std::size_t>(info.st_size);
  if (size == 0) fail(path + ": empty");
  void* data = mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
  if (data == MAP_FAILED) fail_errno(path);
  close(fd);
  return {static_cast<const char*>(data), size};
}

std::size_t line_end(std::string_view text, std::size_t offset) {
  const std::size_t end = text.find('\n', offset);
  return end == std::string_view::npos ? text.size() : end + 1;
}

std::vector<std::string_view> cut_by_records(std::string_view text, std::size_t records) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0; begin < text.size();) {
    std::size_t end = begin;
    for (std::size_t i = 0; i < records && end < text.size(); ++i) end = line_end(text, end);
    parts.push_back(text.substr(begin, end - begin));
    begin = end;
  }
  return parts;
}

/// A line longer than `bytes` is a part of its own.
std::vector<std::string_view> cut_by_bytes(std::string_view text, std::size_t bytes) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0; begin < text.size();) {
    std::size_t end = text.size();
    if (end - begin > bytes) {
      const std::size_t last = text.substr(begin, bytes).rfind('\n');
      end = last == std::string_view::npos ? line_end(text, begin) : begin + last + 1;
    }
    parts.push_back(text.substr(begin, end - begin));
    begin = end;
  }
  return parts;
}

// ---- sockets ----

void set_non_blocking(int fd) {
  if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) != 0) fail_errno("fcntl");
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

int connect_to(const Options& options) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int code = getaddrinfo(options.host.c_str(), options.port.c_str(), &hints, &found); code != 0) {
    fail(options.host + ": " + gai_strerror(code));
  }
  const int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || connect(fd, found->ai_addr, found->ai_addrlen) != 0) {
    fail_errno("connect to " + options.host + ":" + options.port);
  }
  freeaddrinfo(found);
  set_non_blocking(fd);
  return fd;
}

/// CPU seconds of a process and its ended threads so far; clock ticks of 10 ms.
double process_cpu_s(int pid) {
  FILE* file = std::fopen(("/proc/" + std::to_string(pid) + "/stat").c_str(), "r");
  if (file == nullptr) return 0;
  std::array<char, 4096> text{};
  const std::size_t size = std::fread(text.data(), 1, text.size() - 1, file);
  std::fclose(file);
  const std::string_view all(text.data(), size);
  const std::size_t after_name = all.rfind(')');
  if (after_name == std::string_view::npos) return 0;
  unsigned long user = 0, system = 0;
  const int read =
      std::sscanf(text.data() + after_name + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
  return read == 2 ? static_cast<double>(user + system) / static_cast<double>(sysconf(_SC_CLK_TCK)) : 0;
}

// ---- replies ----

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

bool equals_folded(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

struct Reply {
  int status = 0;
  double retry_after_s = 0;
  bool closes = false;
  std::string_view body;  ///< into the receive buffer; of chunked replies with the chunk heads
  std::size_t size = 0;   ///< head and body
};

/// The size of a chunked body with its end, 0 while it is not whole.
std::size_t chunked_size(std::string_view body) {
  std::size_t offset = 0;
  while (true) {
    const std::size_t eol = body.find("\r\n", offset);
    if (eol == std::string_view::npos) return 0;
    std::size_t chunk = 0;
    std::from_chars(body.data() + offset, body.data() + eol, chunk, 16);
    const std::size_t end = eol + 2 + chunk + 2;
    if (end > body.size()) return 0;
    if (chunk == 0) return end;
    offset = end;
  }
}

/// True once `text` holds a whole reply.
bool parse_reply(std::string_view text, Reply& reply) {
  const std::size_t head_end = text.find("\r\n\r\n");
  if (head_end == std::string_view::npos) return false;
  if (!text.starts_with("HTTP/1.") || head_end < 12) fail("the server does not speak HTTP/1");
  std::from_chars(text.data() + 9, text.data() + 12, reply.status);
  std::size_t length = 0;
  bool chunked = false;
  std::string_view head = text.substr(0, head_end);
  for (std::size_t at = head.find("\r\n"); at != std::string_view::npos;) {
    const std::size_t next = head.find("\r\n", at + 2);
    const std::string_view line = head.substr(at + 2, next == std::string_view::npos ? next : next - at - 2);
    at = next;
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    std::string_view value = line.substr(colon + 1);
    while (value.starts_with(' ')) value.remove_prefix(1);
    const std::string_view name = line.substr(0, colon);
    if (equals_folded(name, "content-length")) {
      std::from_chars(value.data(), value.data() + value.size(), length);
    } else if (equals_folded(name, "transfer-encoding")) {
      chunked = equals_folded(value, "chunked");
    } else if (equals_folded(name, "connection")) {
      reply.closes = equals_folded(value, "close");
    } else if (equals_folded(name, "retry-after")) {
      reply.retry_after_s = std::strtod(std::string(value).c_str(), nullptr);
    }
  }
  const std::string_view rest = text.substr(head_end + 4);
  if (chunked) {
    length = chunked_size(rest);
    if (length == 0) return false;
  } else if (reply.status == 204 || reply.status == 304) {
    length = 0;
  }
  if (rest.size() < length) return false;
  reply.body = rest.substr(0, length);
  reply.size = head_end + 4 + length;
  return true;
}

// ---- the loader ----

struct Batch {
  std::size_t part = 0;     ///< index of the part of the file
  double intended_s = 0;    ///< when it should have left
  double not_before_s = 0;  ///< after a 429
};

struct LaterFirst {
  bool operator()(const Batch& a, const Batch& b) const { return a.not_before_s > b.not_before_s; }
};

struct Connection {
  int fd = -1;
  bool busy = false;
  bool wants_write = false;
  Batch batch;
  std::string head;
  std::size_t sent = 0;  ///< of head and body
  std::string input;
  int reconnects_in_a_row = 0;
};

struct Counts {
  std::map<int, std::uint64_t> statuses;
  std::uint64_t retries = 0, reconnects = 0, failed = 0, batches_done = 0;
  std::uint64_t bytes_acknowledged = 0;
  std::string first_error;
};

/// One run. Single-threaded.
class Loader {
 public:
  Loader(const Options& options, const std::vector<std::string_view>& parts) : options_(options), parts_(parts) {
    batches_total_ = options.requests > 0 ? options.requests : parts.size() * options.repeat;
    latencies_ms_.reserve(std::min<std::size_t>(batches_total_, 1 << 24));
    std::string lines;
    for (const std::string& header : options.headers) lines += header + "\r\n";
    head_begin_ = "POST " + options.target + " HTTP/1.1\r\nHost: " + options.host + ":" + options.port +
                  "\r\nContent-Type: application/x-ndjson\r\n" + lines + "Content-Length: ";
  }

  void run() {
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    connections_.resize(options_.connections);
    for (std::size_t i = 0; i < connections_.size(); ++i) {
      open(i);
      idle_.push_back(i);
    }
    const double server_cpu_begin = options_.server_pid ? process_cpu_s(options_.server_pid) : 0;
    const double cpu_begin = seconds_of(CLOCK_THREAD_CPUTIME_ID);
    begin_s_ = last_ack_s_ = now_s();
    while (hand_out(), !finished()) wait();
    cpu_s_ = seconds_of(CLOCK_THREAD_CPUTIME_ID) - cpu_begin;
    server_cpu_s_ = options_.server_pid ? process_cpu_s(options_.server_pid) - server_cpu_begin : 0;
    for (Connection& connection : connections_) close(connection.fd);
    close(epoll_);
  }

  int report(std::size_t records);

 private:
  bool is_new_allowed(double now) const {
    return next_ < batches_total_ && (options_.seconds <= 0 || now - begin_s_ < options_.seconds);
  }

  bool finished() const { return idle_.size() == connections_.size() && retries_.empty() && !is_new_allowed(now_s()); }

  double intended_s_of_next() const {
    if (options_.rate_rps > 0) return begin_s_ + static_cast<double>(next_) / options_.rate_rps;
    if (options_.rate_mb > 0) return begin_s_ + static_cast<double>(bytes_planned_) / (options_.rate_mb * 1e6);
    return 0;
  }

  /// Gives every idle connection what is due.
  void hand_out() {
    while (!idle_.empty()) {
      const double now = now_s();
      Batch batch;
      if (!retries_.empty() && retries_.top().not_before_s <= now) {
        batch = retries_.top();
        retries_.pop();
      } else if (is_new_allowed(now) && intended_s_of_next() <= now) {
        batch.part = next_ % parts_.size();
        batch.intended_s = std::max(intended_s_of_next(), begin_s_);
        if (options_.rate_rps <= 0 && options_.rate_mb <= 0) batch.intended_s = now;
        bytes_planned_ += parts_[batch.part].size();
        ++next_;
      } else {
        return;
      }
      const std::size_t index = idle_.front();
      idle_.pop_front();
      begin_batch(index, batch);
    }
  }

  void begin_batch(std::size_t index, const Batch& batch) {
    Connection& connection = connections_[index];
    connection.batch = batch;
    connection.busy = true;
    connection.sent = 0;
    connection.head = head_begin_ + std::to_string(parts_[batch.part].size()) + "\r\n\r\n";
    send_more(index);
  }

  void watch(std::size_t index, bool write, int operation) {
    epoll_event event{};
    event.events = write ? EPOLLIN | EPOLLOUT : EPOLLIN;
    event.data.u64 = index;
    if (epoll_ctl(epoll_, operation, connections_[index].fd, &event) != 0) fail_errno("epoll_ctl");
    connections_[index].wants_write = write;
  }

  void open(std::size_t index) {
    connections_[index].fd = connect_to(options_);
    connections_[index].input.clear();
    watch(index, false, EPOLL_CTL_ADD);
  }

  void send_more(std::size_t index) {
    Connection& connection = connections_[index];
    const std::string_view body = parts_[connection.batch.part];
    const std::size_t total = connection.head.size() + body.size();
    while (connection.sent < total) {
      std::array<iovec, 2> pieces{};
      std::size_t count = 0;
      std::size_t body_sent = 0;
      if (connection.sent < connection.head.size()) {
        pieces[count++] = {connection.head.data() + connection.sent, connection.head.size() - connection.sent};
      } else {
        body_sent = connection.sent - connection.head.size();
      }
      pieces[count++] = {const_cast<char*>(body.data()) + body_sent, body.size() - body_sent};
      msghdr message{};
      message.msg_iov = pieces.data();
      message.msg_iovlen = count;
      const ssize_t size = sendmsg(connection.fd, &message, MSG_NOSIGNAL);
      if (size < 0) {
        if (errno == EINTR) continue;
        if (errno == EAGAIN) {
          if (!connection.wants_write) watch(index, true, EPOLL_CTL_MOD);
          return;
        }
        return receive(index, /*peer_is_gone=*/true);  // an early reply may lie in the socket
      }
      connection.sent += static_cast<std::size_t>(size);
    }
    if (connection.wants_write) watch(index, false, EPOLL_CTL_MOD);
  }

  void receive(std::size_t index, bool peer_is_gone) {
    Connection& connection = connections_[index];
    while (true) {
      const ssize_t size = recv(connection.fd, buffer_.data(), buffer_.size(), 0);
      if (size < 0 && errno == EINTR) continue;
      if (size < 0 && errno == EAGAIN) break;
      if (size <= 0) {
        peer_is_gone = true;
        break;
      }
      connection.input.append(buffer_.data(), static_cast<std::size_t>(size));
      if (connection.input.size() > kMaxReplyBytes) fail("a reply is longer than 16 MiB");
      if (static_cast<std::size_t>(size) < buffer_.size()) break;
    }
    Reply reply;
    if (connection.busy && parse_reply(connection.input, reply)) {
      const std::size_t total = connection.head.size() + parts_[connection.batch.part].size();
      const bool sent_all = connection.sent == total;
      finish(index, reply);
      connection.input.erase(0, reply.size);
      if (reply.closes || peer_is_gone || !sent_all) reopen(index);
      idle_.push_back(index);
      return;
    }
    if (!peer_is_gone) return;
    reopen(index);
    if (!connection.busy) return;  // an idle connection ended: open again, no harm
    if (++connection.reconnects_in_a_row > kMaxReconnectsInARow) fail("the server keeps closing connections");
    retries_.push(connection.batch);
    connection.busy = false;
    idle_.push_back(index);
  }

  void reopen(std::size_t index) {
    ++counts_.reconnects;
    close(connections_[index].fd);
    open(index);
  }

  void finish(std::size_t index, const Reply& reply) {
    Connection& connection = connections_[index];
    connection.busy = false;
    connection.reconnects_in_a_row = 0;
    ++counts_.statuses[reply.status];
    const double now = now_s();
    if (reply.status == 429 || reply.status == 503) {
      ++counts_.retries;
      Batch again = connection.batch;
      again.not_before_s = now + std::max(reply.retry_after_s, 0.001);
      return retries_.push(again);
    }
    ++counts_.batches_done;
    if (reply.status < 200 || reply.status > 299) {
      ++counts_.failed;
      if (counts_.first_error.empty()) counts_.first_error = reply.body.substr(0, 400);
      return;
    }
    last_ack_s_ = now;
    const std::size_t size = parts_[connection.batch.part].size();
    counts_.bytes_acknowledged += size;
    latencies_ms_.push_back(static_cast<float>((now - connection.batch.intended_s) * 1e3));
    if (options_.timeline_ms == 0) return;
    const auto interval = static_cast<std::size_t>((now - begin_s_) * 1e3 / static_cast<double>(options_.timeline_ms));
    if (timeline_bytes_.size() <= interval) timeline_bytes_.resize(interval + 1);
    timeline_bytes_[interval] += size;
  }

  /// Until a socket is ready, or the next batch is due for an idle connection.
  void wait() {
    timespec timeout{1, 0};
    if (!idle_.empty()) {
      const double now = now_s();
      double due = now + 1;
      if (is_new_allowed(now)) due = std::min(due, intended_s_of_next());
      if (!retries_.empty()) due = std::min(due, retries_.top().not_before_s);
      const double left = std::max(due - now, 0.0);
      timeout.tv_sec = static_cast<time_t>(left);
      timeout.tv_nsec = static_cast<long>((left - static_cast<double>(timeout.tv_sec)) * 1e9);
    }
    std::array<epoll_event, 64> events{};
    const int count = epoll_pwait2(epoll_, events.data(), static_cast<int>(events.size()), &timeout, nullptr);
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      const auto index = static_cast<std::size_t>(event.data.u64);
      if (event.events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
        receive(index, false);
      } else if (connections_[index].busy) {
        send_more(index);
      }
    }
  }

  // Fixed after construction.
  const Options& options_;
  const std::vector<std::string_view>& parts_;
  std::string head_begin_;
  std::size_t batches_total_ = 0;

  int epoll_ = -1;
  std::vector<Connection> connections_;
  std::deque<std::size_t> idle_;
  std::priority_queue<Batch, std::vector<Batch>, LaterFirst> retries_;
  std::size_t next_ = 0;
  std::uint64_t bytes_planned_ = 0;
  std::vector<char> buffer_ = std::vector<char>(1 << 16);

  double begin_s_ = 0, last_ack_s_ = 0, cpu_s_ = 0, server_cpu_s_ = 0;
  Counts counts_;
  std::vector<float> latencies_ms_;
  std::vector<std::uint64_t> timeline_bytes_;
};

std::string json_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    std::array<char, 8> escaped{};
    if (c == '"' || c == '\\') {
      out += {'\\', c};
    } else if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7e) {
      std::snprintf(escaped.data(), escaped.size(), "\\u%04x", static_cast<unsigned>(static_cast<unsigned char>(c)));
      out += escaped.data();
    } else {
      out += c;
    }
  }
  return out + "\"";
}

int Loader::report(std::size_t records) {
  std::sort(latencies_ms_.begin(), latencies_ms_.end());
  const auto quantile = [&](double q) {  // nearest rank
    if (latencies_ms_.empty()) return 0.0;
    const auto rank = static_cast<std::size_t>(q * static_cast<double>(latencies_ms_.size()) + 0.999999);
    return static_cast<double>(latencies_ms_[std::clamp<std::size_t>(rank, 1, latencies_ms_.size()) - 1]);
  };
  const double wall = std::max(last_ack_s_ - begin_s_, 1e-9);
  const auto acknowledged = static_cast<double>(counts_.bytes_acknowledged);
  const auto requests = static_cast<double>(latencies_ms_.size());
  const bool is_whole = counts_.failed == 0 && counts_.batches_done == next_;

  std::string statuses, timeline;
  for (const auto& [status, count] : counts_.statuses) {
    statuses += (statuses.empty() ? "\"" : ",\"") + std::to_string(status) + "\":" + std::to_string(count);
  }
  std::array<char, 64> number{};
  for (const std::uint64_t bytes : timeline_bytes_) {
    std::snprintf(number.data(), number.size(), "%s%.3f", timeline.empty() ? "" : ",",
                  static_cast<double>(bytes) / 1e6);
    timeline += number.data();
  }
  std::printf(
      "{\"file\":%s,\"sink\":%s,\"connections\":%zu,\"batch_bytes\":%zu,\"batch_records\":%zu,\"records_in_file\":%zu,"
      "\"wall_s\":%.6f,\"bytes\":%llu,\"mb_per_s\":%.3f,\"requests\":%zu,\"requests_per_s\":%.1f,"
      "\"ack_p50_ms\":%.3f,\"ack_p90_ms\":%.3f,\"ack_p99_ms\":%.3f,\"ack_p999_ms\":%.3f,\"ack_max_ms\":%.3f,"
      "\"statuses\":{%s},\"retries\":%llu,\"reconnects\":%llu,\"failed\":%llu,\"complete\":%s,"
      "\"loader_cpu_s\":%.3f,\"server_cpu_s\":%.3f,\"rate_mb\":%g,\"rate_rps\":%g,\"timeline_ms\":%zu,"
      "\"timeline_mb\":[%s],\"first_error\":%s}\n",
      json_text(options_.file.substr(options_.file.rfind('/') + 1)).c_str(), options_.sink ? "true" : "false",
      options_.connections, options_.batch_records ? 0 : options_.batch_bytes, options_.batch_records, records, wall,
      static_cast<unsigned long long>(counts_.bytes_acknowledged), acknowledged / wall / 1e6, latencies_ms_.size(),
      requests / wall, quantile(0.5), quantile(0.9), quantile(0.99), quantile(0.999), quantile(1), statuses.c_str(),
      static_cast<unsigned long long>(counts_.retries), static_cast<unsigned long long>(counts_.reconnects),
      static_cast<unsigned long long>(counts_.failed), is_whole ? "true" : "false", cpu_s_, server_cpu_s_,
      options_.rate_mb, options_.rate_rps, options_.timeline_ms, timeline.c_str(),
      json_text(counts_.first_error).c_str());
  std::fprintf(stderr,
               "%.1f MB in %.3f s: %.1f MB/s, %.0f requests/s; ack p50 %.2f ms, p99 %.2f ms, max %.2f ms; loader CPU "
               "%.2f s; %llu retries, %llu reconnects, %llu failed%s%s\n",
               acknowledged / 1e6, wall, acknowledged / wall / 1e6, requests / wall, quantile(0.5), quantile(0.99),
               quantile(1), cpu_s_, static_cast<unsigned long long>(counts_.retries),
               static_cast<unsigned long long>(counts_.reconnects), static_cast<unsigned long long>(counts_.failed),
               counts_.first_error.empty() ? "" : ": ", counts_.first_error.c_str());
  return is_whole ? 0 : 1;
}

// ---- the sink ----

/// Reads requests and says 200 to each; its own thread. Ends with the program.
class Sink {
 public:
  Sink() {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(listener_, 128) != 0 ||
        getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      fail_errno("sink");
    }
    port_ = ntohs(address.sin_port);
    std::thread([this] { serve(); }).detach();
  }
  std::string port() const { return std::to_string(port_); }

 private:
  struct Peer {
    std::string head;
    std::size_t body_left = 0;
  };

  void serve() {
    const int epoll = epoll_create1(EPOLL_CLOEXEC);
    std::map<int, Peer> peers;
    std::vector<char> buffer(1 << 20);
    add(epoll, listener_);
    while (true) {
      std::array<epoll_event, 64> events{};
      const int count = epoll_wait(epoll, events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < count; ++i) {
        const int fd = events[static_cast<std::size_t>(i)].data.fd;
        if (fd == listener_) {
          const int peer = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
          set_non_blocking(peer);
          peers[peer];
          add(epoll, peer);
          continue;
        }
        const ssize_t size = recv(fd, buffer.data(), buffer.size(), 0);
        if (size < 0 && (errno == EAGAIN || errno == EINTR)) continue;
        if (size <= 0) {
          close(fd);
          peers.erase(fd);
          continue;
        }
        take(fd, peers[fd], std::string_view(buffer.data(), static_cast<std::size_t>(size)));
      }
    }
  }

  static void add(int epoll, int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
  }

  static void take(int fd, Peer& peer, std::string_view input) {
    while (!input.empty()) {
      if (peer.body_left == 0) {
        const std::size_t before = peer.head.size();
        peer.head += input.substr(0, 16384);
        const std::size_t end = peer.head.find("\r\n\r\n");
        if (end == std::string::npos) return;
        const std::size_t length_at = peer.head.find("Content-Length: ");
        peer.body_left = std::strtoull(peer.head.c_str() + length_at + 16, nullptr, 10);
        input.remove_prefix(end + 4 - before);
        peer.head.clear();
      }
      const std::size_t taken = std::min(peer.body_left, input.size());
      peer.body_left -= taken;
      input.remove_prefix(taken);
      if (peer.body_left > 0) return;
      constexpr std::string_view kReply = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
      if (send(fd, kReply.data(), kReply.size(), MSG_NOSIGNAL) < 0) return;
    }
  }

  int listener_ = -1;
  unsigned port_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  Options options = parse_options(argc, argv);
  const std::string_view text = map_file(options.file);
  const std::vector<std::string_view> parts =
      options.batch_records > 0 ? cut_by_records(text, options.batch_records) : cut_by_bytes(text, options.batch_bytes);
  const auto records = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + !text.ends_with('\n');
  if (options.sink) {
    static Sink sink;  // its thread runs until exit
    options.host = "127.0.0.1";
    options.port = sink.port();
    options.target = "/";
  }
  Loader loader(options, parts);
  loader.run();
  const int code = loader.report(records);
  std::fflush(nullptr);
  _exit(code);  // the sink's thread does not end
}
