#include "server/server_metrics.h"

#include "server/metric_text.h"

#include <array>
#include <iterator>

#include "base/check.h"

namespace dendro {
namespace {

/// Statuses we send; the last slot counts any other.
constexpr int kCountedStatuses[] = {200, 201, 202, 204, 301, 302, 303, 304, 308, 400, 401, 402, 403, 404, 405, 408,
                                    409, 413, 415, 417, 421, 422, 429, 431, 500, 501, 502, 503, 504, 505, 507};
constexpr std::size_t kStatusSlots = std::size(kCountedStatuses) + 1;

constexpr std::size_t kStatusMax = 600;

constexpr std::array<std::uint8_t, kStatusMax> make_status_slots() {
  std::array<std::uint8_t, kStatusMax> slots{};
  slots.fill(kStatusSlots - 1);
  for (std::size_t i = 0; i < std::size(kCountedStatuses); ++i) {
    slots[static_cast<std::size_t>(kCountedStatuses[i])] = static_cast<std::uint8_t>(i);
  }
  return slots;
}
constexpr std::array<std::uint8_t, kStatusMax> kSlotOfStatus = make_status_slots();

void append_label_value(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c == '\\' || c == '"') out.push_back('\\');
    out.push_back(c);
  }
}

}  // namespace

LoopMetrics::LoopMetrics(std::size_t route_count) : by_route_and_status_((route_count + 1) * kStatusSlots) {}

void LoopMetrics::count_request(std::size_t route, int status) {
  const auto index = static_cast<std::size_t>(status);
  const std::size_t slot = index < kStatusMax ? kSlotOfStatus[index] : kStatusSlots - 1;
  by_route_and_status_[route * kStatusSlots + slot].add();
}

void ServerMetrics::attach(const RouteTable& routes, std::size_t loops) {
  MutexLock lock(mutex_);
  DENDRO_CHECK(loops_.empty());
  for (const Route& route : routes) {
    std::string label = "method=\"";
    append_label_value(label, route.method);
    label += "\",route=\"";
    append_label_value(label, route.path);
    route_labels_.push_back(label + "\"");
  }
  route_labels_.push_back("method=\"\",route=\"\"");
  for (std::size_t i = 0; i < loops; ++i) loops_.push_back(std::make_unique<LoopMetrics>(routes.size()));
}

LoopMetrics& ServerMetrics::loop(std::size_t index) {
  MutexLock lock(mutex_);
  return *loops_[index];
}

std::string ServerMetrics::text() const {
  MutexLock lock(mutex_);
  std::string out;
  const auto append_sum = [&](std::string_view name, std::string_view type, std::string_view help,
                              MetricSlot LoopMetrics::* slot) DENDRO_REQUIRES(mutex_) {
    std::uint64_t sum = 0;
    for (const auto& loop : loops_) sum += ((*loop).*slot).value();
    append_metric_head(out, name, type, help);
    out.append(name).append(" ").append(std::to_string(sum)).append("\n");
  };
  append_sum("dendro_http_connections", "gauge", "Connections open now.", &LoopMetrics::connections_open);
  append_sum("dendro_http_connections_total", "counter", "Connections accepted.", &LoopMetrics::connections_total);
  append_sum("dendro_http_requests_in_flight", "gauge", "Requests a handler works on.",
             &LoopMetrics::requests_in_flight);
  append_sum("dendro_http_received_bytes_total", "counter", "Bytes read from sockets.", &LoopMetrics::received_bytes);
  append_sum("dendro_http_sent_bytes_total", "counter", "Bytes written to sockets.", &LoopMetrics::sent_bytes);
  append_sum("dendro_tls_handshakes_total", "counter", "TLS connections opened.", &LoopMetrics::handshakes);
  append_sum("dendro_tls_handshake_failures_total", "counter", "TLS connections that did not come about.",
             &LoopMetrics::handshake_failures);
  append_sum("dendro_http_refused_total", "counter", "Malformed requests, requests over a limit or too slow.",
             &LoopMetrics::refused);
  append_metric_head(out, "dendro_http_requests_total", "counter",
                     "Requests by row of the route table; an empty route is a path nobody answers.");
  std::vector<std::uint64_t> sums(route_labels_.size() * kStatusSlots);
  for (const auto& loop : loops_) {
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += loop->by_route_and_status_[i].value();
  }
  for (std::size_t i = 0; i < sums.size(); ++i) {
    if (sums[i] == 0) continue;
    const std::size_t slot = i % kStatusSlots;
    const std::string status = slot + 1 == kStatusSlots ? "other" : std::to_string(kCountedStatuses[slot]);
    out.append("dendro_http_requests_total{").append(route_labels_[i / kStatusSlots]).append(",status=\"");
    out.append(status).append("\"} ").append(std::to_string(sums[i])).append("\n");
  }
  return out;
}

}  // namespace dendro
