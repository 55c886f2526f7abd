#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace dendro {

/// Bytes asked of the socket at once, and the room in which a head must fit: a body of 64 KiB comes with its head in
/// one read. 512-byte reads cost five times the CPU of these on such a body (stack.md 3.1).
inline constexpr std::size_t kReadBufferBytes = std::size_t{68} << 10;
/// Replies of pipelined requests are gathered up to this before they are written although more input waits.
inline constexpr std::size_t kReplyBatchBytes = std::size_t{256} << 10;
/// A reply body from this size on is written from where it lies instead of being copied behind its head.
inline constexpr std::size_t kGatherBodyBytes = std::size_t{32} << 10;
/// A refused request's body up to this size is read and dropped so that the connection lives on; over it: close.
inline constexpr std::uint64_t kDiscardBodyBytesMax = std::uint64_t{256} << 10;
/// A packed body up to this size is unpacked on the loop thread: at ratio 1000 it yields 1 MiB, about a millisecond.
inline constexpr std::size_t kInlineUnpackBytesMax = 1024;
/// Unpacked bytes are judged by ratio once over 1 MiB has come out (clients.md 2.8).
inline constexpr std::uint64_t kUnpackRatioMax = 1000;
/// A chunked body reserves its share of the bytes in flight in steps of this.
inline constexpr std::uint64_t kByteLeaseStepBytes = std::uint64_t{256} << 10;
/// Connections taken from the kernel's queue before the loop looks at others.
inline constexpr int kAcceptBatch = 64;
inline constexpr std::size_t kRequestIdBytesMax = 128;

/// A message of a client of a WebSocket; over it: 1009.
inline constexpr std::size_t kWebSocketMessageBytesMax = std::size_t{1} << 20;
/// What may wait for a peer to take it: several of the largest frames of a tail.
inline constexpr std::size_t kWebSocketOutBytesMax = std::size_t{8} << 20;
/// Load balancers cut what is silent for 60 s (ui.md 11.3).
inline constexpr std::chrono::seconds kWebSocketPingTime{20};
/// A peer that answers no ping for this long is gone.
inline constexpr std::chrono::seconds kWebSocketSilenceMax{65};
/// How long the peer may take to answer our close frame.
inline constexpr std::chrono::seconds kWebSocketCloseTime{5};

/// What can be set (`server.*`). The reasons stand in stack.md 3.2 and clients.md 2.8.
struct ServerLimits {
  /// Request line and fields; over it: 431. Below kReadBufferBytes.
  std::size_t head_bytes_max = std::size_t{32} << 10;
  std::size_t connections_max = 10'000;             ///< over it: 503 and close
  std::size_t connections_per_address_max = 1'000;  ///< the same of one peer (an IPv6 /64); 0: no bound
  std::size_t handshakes_max = 512;                 ///< TLS connections that are not open yet; a further one is closed
  /// Body bytes of all requests being read or handled, unpacked where packed; over it: 429.
  std::uint64_t body_bytes_in_flight_max = std::uint64_t{512} << 20;
  std::chrono::milliseconds handshake_timeout{10'000};   ///< of TLS; then close
  std::chrono::milliseconds head_timeout{10'000};        ///< from the first byte of a head to its end; then 408
  std::chrono::milliseconds body_stall_timeout{60'000};  ///< without a byte of the body; then 408
  /// Of a body that has been coming for longer than body_stall_timeout, on average; then 408. 0: no bound. A phone's
  /// worst connection is ten times as fast.
  std::uint64_t body_bytes_per_s_min = 128;
  std::chrono::milliseconds idle_timeout{75'000};         ///< between requests; must exceed a load balancer's 60 s
  std::chrono::milliseconds write_stall_timeout{60'000};  ///< without the peer taking a byte; then close
  std::chrono::milliseconds linger_timeout{5'000};  ///< reading on after a refusal, so that the peer sees the reply
  std::chrono::milliseconds half_close_grace{400};  ///< a peer that sent FIN may still be waiting for its reply
  std::chrono::milliseconds sweep_interval{200};    ///< one coarse timer a thread looks after all of the above
};

}  // namespace dendro
