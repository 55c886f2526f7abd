#pragma once

#include <memory>
#include <utility>

#include "server/http_message.h"
#include "server/mailbox.h"

namespace dendro {

/// Takes pieces of one stream. Keeps the stream alive while a piece is outstanding; reports a `done` that was dropped.
class PieceSink {
 public:
  using Box = Mailbox<ResponseStream::Piece>;
  PieceSink(std::shared_ptr<Box> box, std::shared_ptr<ResponseStream> stream)
      : stream_(std::move(stream)), box_(std::move(box)) {}
  PieceSink(const PieceSink&) = delete;
  PieceSink& operator=(const PieceSink&) = delete;
  ~PieceSink() { box_->put(Error(ErrorCode::internal, "a stream dropped its reply")); }
  void put(ResponseStream::Piece piece) { box_->put(std::move(piece)); }

 private:
  const std::shared_ptr<ResponseStream> stream_;
  const std::shared_ptr<Box> box_;
};

}  // namespace dendro
