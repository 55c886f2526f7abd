#include "server/web_socket_io.h"

#include <utility>

namespace dendro {

WebSocketIo::WebSocketIo(std::shared_ptr<Loop> loop, std::shared_ptr<WebSocketHandler> handler, WebSocketWire& wire)
    : loop_(std::move(loop)),
      wire_(wire),
      link_(std::make_shared<WebSocketLink>(loop_, std::move(handler), [this] { write_on(); })) {}

void WebSocketIo::open(std::string_view early) {
  link_->open(loop_->coarse_now());
  link_->receive(early, loop_->coarse_now());
  read_on();
}

void WebSocketIo::read_on() {
  if (!is_broken_ && !link_->is_over()) {
    is_reading_ = true;
    return wire_.start_read();
  }
  link_->end();
  write_on();
  tell_end();
}

void WebSocketIo::received(std::optional<std::string_view> bytes) {
  is_reading_ = false;
  if (!link_->is_over()) {
    if (bytes) {
      link_->receive(*bytes, loop_->coarse_now());
    } else {
      is_broken_ = true;
    }
  }
  read_on();
}

/// One write at a time; the next one when it is done. Ends the read of a link that is over.
void WebSocketIo::write_on() {
  if (is_writing_ || is_broken_) return;
  output_ = link_->take_output();
  if (output_.empty()) {
    if (link_->is_over() && is_reading_) wire_.cancel_read();
    return;
  }
  is_writing_ = true;
  output_offset_ = 0;
  write_rest();
}

void WebSocketIo::write_rest() {
  write_since_ = loop_->coarse_now();
  wire_.start_write(std::string_view(output_).substr(output_offset_));
}

void WebSocketIo::written(std::optional<std::size_t> count) {
  output_offset_ += count.value_or(0);
  if (count && output_offset_ < output_.size()) return write_rest();
  is_writing_ = false;
  output_.clear();
  if (!count) {
    is_broken_ = true;
    wire_.drop();
    return;
  }
  link_->output_written();
  write_on();
  tell_end();
}

void WebSocketIo::tell_end() {
  if (is_over() && (is_broken_ || link_->is_over())) wire_.io_is_over();
}

void WebSocketIo::end() {
  is_broken_ = true;
  link_->end();
}

bool WebSocketIo::sweep(std::chrono::nanoseconds now, std::chrono::nanoseconds write_stall_timeout) {
  return link_->sweep(now) && !(is_writing_ && now - write_since_ > write_stall_timeout);
}

}  // namespace dendro
