#include "server/web_socket_link.h"

#include <utility>

#include "server/limits.h"

namespace dendro {
namespace {

/// Carries what other threads say to the loop.
class LinkOut final : public WebSocketOut {
 public:
  LinkOut(std::shared_ptr<Loop> loop, std::weak_ptr<WebSocketLink> link)
      : loop_(std::move(loop)), link_(std::move(link)) {}
  void send(std::string text) override {
    loop_->post([link = link_, text = std::move(text)] {
      if (const auto present = link.lock()) present->send(text);
    });
  }
  void close(WebSocketClose code, std::string reason) override {
    loop_->post([link = link_, code, reason = std::move(reason)] {
      if (const auto present = link.lock()) present->close(code, reason);
    });
  }

 private:
  const std::shared_ptr<Loop> loop_;
  const std::weak_ptr<WebSocketLink> link_;
};

}  // namespace

WebSocketLink::WebSocketLink(std::shared_ptr<Loop> loop, std::shared_ptr<WebSocketHandler> handler,
                             std::function<void()> has_output)
    : loop_(std::move(loop)),
      handler_(std::move(handler)),
      has_output_(std::move(has_output)),
      reader_(kWebSocketMessageBytesMax) {}

void WebSocketLink::open(std::chrono::nanoseconds now) {
  last_heard_ = last_ping_ = state_since_ = now;
  handler_->opened(std::make_shared<LinkOut>(loop_, weak_from_this()));
}

void WebSocketLink::receive(std::string_view bytes, std::chrono::nanoseconds now) {
  last_heard_ = now;
  reader_.feed(bytes);
  while (state_ != State::over) {
    WebSocketReader::Event event = reader_.next();
    if (event.kind == WebSocketReader::Kind::need_more) return;
    take(std::move(event));
  }
}

void WebSocketLink::take(WebSocketReader::Event event) {
  switch (event.kind) {
    case WebSocketReader::Kind::need_more:
    case WebSocketReader::Kind::pong:
      break;
    case WebSocketReader::Kind::text:
      if (state_ == State::open && handler_ != nullptr) handler_->message(std::move(event.payload));
      break;
    case WebSocketReader::Kind::ping:
      if (state_ != State::open) break;
      append_web_socket_frame(output_, WebSocketOpcode::pong, event.payload);
      has_output_();
      break;
    case WebSocketReader::Kind::closed:
    case WebSocketReader::Kind::failed:
      if (state_ == State::open)
        append_web_socket_close(output_, static_cast<WebSocketClose>(event.code), event.payload);
      become(State::over);
      has_output_();
      break;
  }
}

void WebSocketLink::become(State state) {
  state_ = state;
  state_since_ = loop_->coarse_now();
}

std::string WebSocketLink::take_output() {
  return std::exchange(output_, {});
}

void WebSocketLink::output_written() {
  if (!output_.empty() || !owes_drained_ || state_ != State::open || handler_ == nullptr) return;
  owes_drained_ = false;
  handler_->drained();
}

bool WebSocketLink::sweep(std::chrono::nanoseconds now) {
  if (now - last_heard_ > kWebSocketSilenceMax) return false;
  if (state_ != State::open) return now - state_since_ <= kWebSocketCloseTime;
  if (now - last_ping_ < kWebSocketPingTime) return true;
  last_ping_ = now;
  append_web_socket_frame(output_, WebSocketOpcode::ping, {});
  has_output_();
  return true;
}

void WebSocketLink::stop_softly() {
  if (state_ == State::open && handler_ != nullptr) handler_->stopping();
}

void WebSocketLink::lose_access() {
  if (state_ == State::open && handler_ != nullptr) handler_->access_lost();
}

void WebSocketLink::end() {
  state_ = State::over;
  has_output_ = [] {};
  if (const auto handler = std::exchange(handler_, nullptr)) handler->closed();
}

void WebSocketLink::send(std::string_view text) {
  if (state_ != State::open) return;
  // One message may be larger: a reader that is sent nothing else is not slow.
  if (!output_.empty() && output_.size() + text.size() > kWebSocketOutBytesMax) {
    return close(WebSocketClose::overload, "the reader is too slow");
  }
  append_web_socket_frame(output_, WebSocketOpcode::text, text);
  owes_drained_ = true;
  has_output_();
}

void WebSocketLink::close(WebSocketClose code, std::string_view reason) {
  if (state_ != State::open) return;
  append_web_socket_close(output_, code, reason);
  become(State::closing);
  has_output_();
}

}  // namespace dendro
