#pragma once

#include <utility>

namespace dendro {

/// A coroutine that sleeps until someone on its loop resumes it.
class ParkedCoroutine {
 public:
  virtual ~ParkedCoroutine() = default;
  virtual void resume() = 0;
};

template <typename Handler>
class ParkedHandler final : public ParkedCoroutine {
 public:
  explicit ParkedHandler(Handler handler) : handler_(std::move(handler)) {}
  void resume() override { std::move(handler_)(); }

 private:
  Handler handler_;
};

}  // namespace dendro
