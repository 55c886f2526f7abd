// States and who moves them: kHead (bytes of a head are gathered until its empty line) --next--> kPlanning (the owner
// judges the head) --start_body--> kBody --next--> kComplete --next--> kHead. Anything malformed --next--> kRefused,
// for good.
//
// Beast's basic_parser reads heads; the checks it lacks (stack.md 3.3) stand in request_head.cc and in find_head_end
// below, which sees line ends before Beast does. Bodies are cut here and in chunk_decoder.cc.
#include "server/request_reader.h"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "server/chunk_decoder.h"
#include "server/limits.h"
#include "server/request_head.h"

namespace dendro {
namespace {

namespace http = boost::beast::http;
using BeastError = boost::beast::error_code;
using BeastView = boost::beast::string_view;

/// Fills a RequestHead.
class HeadParser final : public http::basic_parser<true> {
 public:
  HeadParser(RequestHead& head, std::size_t head_bytes_max) : head_(head) {
    header_limit(static_cast<std::uint32_t>(head_bytes_max));
    body_limit(boost::none);
  }

 private:
  void on_request_impl(http::verb, BeastView method, BeastView target, int version, BeastError&) override {
    head_.method.assign(method.data(), method.size());
    head_.target.assign(target.data(), target.size());
    head_.is_http_1_0 = version == 10;
  }
  void on_field_impl(http::field, BeastView name, BeastView value, BeastError&) override {
    head_.headers.add(std::string(name.data(), name.size()), std::string(value.data(), value.size()));
  }
  void on_response_impl(int, BeastView, int, BeastError&) override {}
  void on_header_impl(BeastError&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, BeastError&) override {}
  std::size_t on_body_impl(BeastView bytes, BeastError&) override { return bytes.size(); }
  void on_chunk_header_impl(std::uint64_t, BeastView, BeastError&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, BeastView bytes, BeastError&) override { return bytes.size(); }
  void on_finish_impl(BeastError&) override {}

  RequestHead& head_;  // of the reader
};

RequestReader::Refusal refusal_of(const BeastError& error, std::string_view first_line) {
  if (error == http::error::bad_version && names_other_http_version(first_line)) {
    return {505, "only HTTP/1.1 and HTTP/1.0 are spoken here"};
  }
  if (error == http::error::header_limit) return {431, "the request's head is too large"};
  return {400, "malformed request: " + error.message()};
}

}  // namespace

class RequestReader::Impl {
 public:
  explicit Impl(std::size_t head_bytes_max)
      : head_bytes_max_(std::min(head_bytes_max, kReadBufferBytes - 1)),
        buffer_(std::make_unique_for_overwrite<char[]>(kReadBufferBytes)) {}

  std::span<char> prepare() {
    if (first_ == last_) {
      first_ = last_ = 0;
    } else if (last_ == kReadBufferBytes) {
      move_to_front();
    }
    return {buffer_.get() + last_, kReadBufferBytes - last_};
  }
  void commit(std::size_t count) {
    DENDRO_CHECK(count <= kReadBufferBytes - last_);
    last_ += count;
  }

  Event next() {
    DENDRO_CHECK(state_ != State::kPlanning);  // start_body comes between
    switch (state_) {
      case State::kHead:
        return read_head();
      case State::kBody:
        return read_body();
      case State::kComplete:
        begin_request();
        return read_head();
      case State::kPlanning:
      case State::kRefused:
        break;
    }
    return Event::refused;
  }

  RequestHead& head() { return head_; }
  void start_body(BodyPlan plan) {
    DENDRO_CHECK(state_ == State::kPlanning);
    plan_ = plan;
    state_ = State::kBody;
    if (head_.is_chunked) {
      chunks_.emplace(head_bytes_max_);
      return;
    }
    body_rest_ = head_.content_length.value_or(0);
    if (!plan.discard && body_rest_ <= plan.bytes_max) body_.reserve(static_cast<std::size_t>(body_rest_));
  }
  std::uint64_t body_bytes() const { return chunks_ ? chunks_->body_bytes() : body_bytes_; }
  std::string take_body() { return std::move(body_); }
  std::string take_rest() {
    std::string rest(pending());
    first_ = last_;
    return rest;
  }
  const Refusal& refusal() const { return refusal_; }
  bool is_between_requests() const { return (state_ == State::kHead || state_ == State::kComplete) && first_ == last_; }
  bool is_within_head() const { return state_ == State::kHead && !is_between_requests(); }

 private:
  enum class State : std::uint8_t { kHead, kPlanning, kBody, kComplete, kRefused };

  std::string_view pending() const { return {buffer_.get() + first_, last_ - first_}; }
  void move_to_front() {
    std::memmove(buffer_.get(), buffer_.get() + first_, last_ - first_);
    last_ -= first_;
    first_ = 0;
  }
  Event refuse(Refusal refusal) {
    refusal_ = std::move(refusal);
    state_ = State::kRefused;
    return Event::refused;
  }

  void begin_request() {
    state_ = State::kHead;
    head_ = RequestHead();
    chunks_.reset();
    body_.clear();
    body_bytes_ = 0;
    scanned_ = line_first_ = 0;
    skipped_empty_line_ = false;
  }

  /// One empty line before a request is skipped (RFC 9112, 2.2); a second one is malformed.
  void skip_empty_line() {
    if (skipped_empty_line_ || scanned_ != 0 || !pending().starts_with("\r\n")) return;
    first_ += 2;
    skipped_empty_line_ = true;
  }

  /// Bytes up to and with the empty line, once it is here. Refuses bare line feeds and folded lines on the way, and
  /// looks at nothing over the limit, so that the answer is the same however the bytes are cut.
  std::optional<std::size_t> find_head_end() {
    const std::string_view text = pending().substr(0, head_bytes_max_);
    while (true) {
      const std::size_t feed = text.find('\n', scanned_);
      if (feed == std::string_view::npos) {
        scanned_ = text.size();
        return std::nullopt;
      }
      if (feed == 0 || text[feed - 1] != '\r') {
        refuse({400, "malformed request: a line ends with a bare line feed"});
        return std::nullopt;
      }
      const bool is_empty_line = feed - 1 == line_first_;
      if (!is_empty_line && line_first_ != 0 && (text[line_first_] == ' ' || text[line_first_] == '\t')) {
        refuse({400, "malformed request: a header line is folded"});
        return std::nullopt;
      }
      line_first_ = scanned_ = feed + 1;
      if (is_empty_line) return feed + 1;
    }
  }

  Event read_head() {
    skip_empty_line();
    if (scanned_ == 0 && pending() == "\r") return Event::need_more;
    const std::optional<std::size_t> head_bytes = find_head_end();
    if (state_ == State::kRefused) return Event::refused;
    if (!head_bytes && pending().size() > head_bytes_max_) {
      return refuse({431, "the request's head is over " + std::to_string(head_bytes_max_) + " bytes"});
    }
    if (!head_bytes) return Event::need_more;
    return parse_head(pending().substr(0, *head_bytes));
  }

  Event parse_head(std::string_view text) {
    const std::string_view first_line = text.substr(0, text.find('\r'));
    if (first_line == "PRI * HTTP/2.0") return refuse({505, "HTTP/2 is not spoken here: use HTTP/1.1"});
    HeadParser parser(head_, head_bytes_max_);
    BeastError error;
    const std::size_t used = parser.put(boost::asio::const_buffer(text.data(), text.size()), error);
    if (error == http::error::need_more) return refuse({400, "malformed request"});
    if (error) return refuse(refusal_of(error, first_line));
    DENDRO_CHECK(used == text.size());
    head_.is_keep_alive = parser.keep_alive();
    if (std::optional<HeadRefusal> found = check_head(head_)) return refuse({found->status, std::move(found->detail)});
    first_ += text.size();
    state_ = State::kPlanning;
    return Event::head;
  }

  Event read_body() {
    const Event event = head_.is_chunked ? read_chunked() : read_sized();
    if (event == Event::complete) state_ = State::kComplete;
    return event;
  }

  Event refuse_size() {
    return refuse({413, "the request's body is over " + std::to_string(plan_.bytes_max) + " bytes"});
  }

  Event read_sized() {
    if (body_rest_ > plan_.bytes_max - std::min(body_bytes_, plan_.bytes_max)) return refuse_size();
    const std::string_view bytes =
        pending().substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(body_rest_, pending().size())));
    if (!plan_.discard) body_.append(bytes);
    body_bytes_ += bytes.size();
    body_rest_ -= bytes.size();
    first_ += bytes.size();
    return body_rest_ == 0 ? Event::complete : Event::need_more;
  }

  Event read_chunked() {
    std::string_view text = pending();
    const ChunkDecoder::Event event = chunks_->feed(text, plan_.discard ? nullptr : &body_);
    first_ = last_ - text.size();
    if (chunks_->body_bytes() > plan_.bytes_max) return refuse_size();
    switch (event) {
      case ChunkDecoder::Event::need_more:
        return Event::need_more;
      case ChunkDecoder::Event::complete:
        return Event::complete;
      case ChunkDecoder::Event::malformed:
        return refuse({400, "malformed request: bad chunk"});
      case ChunkDecoder::Event::too_large:
        break;
    }
    return refuse({431, "a chunk's extension or the trailers are too large"});
  }

  // Fixed after construction.
  const std::size_t head_bytes_max_;
  const std::unique_ptr<char[]> buffer_;  // not zero-filled: pages come with the first bytes

  State state_ = State::kHead;
  std::size_t first_ = 0, last_ = 0;  // [first_, last_) of buffer_ waits to be read
  std::size_t scanned_ = 0;           // bytes of pending() in which no head end is
  std::size_t line_first_ = 0;        // where the line under scan begins in pending()
  bool skipped_empty_line_ = false;
  RequestHead head_;
  std::optional<ChunkDecoder> chunks_;
  BodyPlan plan_;
  std::string body_;
  std::uint64_t body_bytes_ = 0;
  std::uint64_t body_rest_ = 0;
  Refusal refusal_;
};

RequestReader::RequestReader(std::size_t head_bytes_max) : impl_(std::make_unique<Impl>(head_bytes_max)) {}
RequestReader::~RequestReader() = default;
std::span<char> RequestReader::prepare() {
  return impl_->prepare();
}
void RequestReader::commit(std::size_t count) {
  impl_->commit(count);
}
RequestReader::Event RequestReader::next() {
  return impl_->next();
}
RequestHead& RequestReader::head() {
  return impl_->head();
}
void RequestReader::start_body(BodyPlan plan) {
  impl_->start_body(plan);
}
std::uint64_t RequestReader::body_bytes() const {
  return impl_->body_bytes();
}
std::string RequestReader::take_body() {
  return impl_->take_body();
}
std::string RequestReader::take_rest() {
  return impl_->take_rest();
}
const RequestReader::Refusal& RequestReader::refusal() const {
  return impl_->refusal();
}
bool RequestReader::is_between_requests() const {
  return impl_->is_between_requests();
}
bool RequestReader::is_within_head() const {
  return impl_->is_within_head();
}

}  // namespace dendro
