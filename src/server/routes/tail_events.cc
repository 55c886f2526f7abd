#include "server/routes/tail_events.h"

#include <atomic>
#include <chrono>
#include <optional>
#include <utility>

#include "services/tail/sequence_input.h"

namespace dendro {
namespace {

/// Proxies that wait for a line of their own liking still see one.
constexpr std::chrono::seconds kEventPingTime{15};

/// Where a reader goes on that has seen this frame; nothing where the frame says nothing about it.
std::optional<SequenceNumber> event_id(const TailFrame& frame) {
  if (frame.kind == TailFrame::Kind::end) return std::nullopt;
  return frame.cursor;
}

class TailEvents final : public ResponseStream {
 public:
  TailEvents(std::shared_ptr<TailSession> session, const Clock& clock)
      : session_(std::move(session)), state_(std::make_shared<State>(clock)) {}
  ~TailEvents() override { session_->close(); }

  void next(std::function<void(Piece)> done) override {
    if (state_->is_over) return done(Piece(std::optional<std::string>()));
    session_->next([state = state_, done = std::move(done)](const TailFrame& frame) {
      if (frame.kind == TailFrame::Kind::end) state->is_over = true;
      done(Piece(std::optional<std::string>(state->take_ping() + tail_event_text(frame))));
    });
  }

 private:
  struct State {
    explicit State(const Clock& of) : clock(of), last_ping(of.monotonic()) {}
    std::string take_ping() {
      const auto now = clock.monotonic();
      if (now - last_ping < kEventPingTime) return {};
      last_ping = now;
      return ": ping\n\n";
    }
    const Clock& clock;
    std::chrono::nanoseconds last_ping;  // of the worker that makes the frame
    std::atomic<bool> is_over{false};
  };

  const std::shared_ptr<TailSession> session_;
  const std::shared_ptr<State> state_;
};

}  // namespace

std::string tail_event_text(const TailFrame& frame) {
  std::string text = "event: ";
  text.append(tail_frame_name(frame.kind));
  if (const auto id = event_id(frame)) text.append("\nid: ").append(to_tail_cursor(*id));
  return text.append("\ndata: ").append(tail_frame_json(frame)).append("\n\n");
}

std::unique_ptr<ResponseStream> make_tail_events(std::shared_ptr<TailSession> session, const Clock& clock) {
  return std::make_unique<TailEvents>(std::move(session), clock);
}

}  // namespace dendro
