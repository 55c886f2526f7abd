#include "apps/interrupt_signals.h"

namespace dendro {
namespace {

/// What a signal sets; a token's flag is a lock-free atomic, so a handler may.
CancelToken* interrupted_token = nullptr;

void on_interrupt(int) {
  if (interrupted_token != nullptr) interrupted_token->cancel();
}

}  // namespace

InterruptSignals::InterruptSignals(CancelToken& token) {
  interrupted_token = &token;
  struct sigaction action{};
  action.sa_handler = &on_interrupt;  // without SA_RESTART: waiting calls return
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, &old_int_);
  sigaction(SIGTERM, &action, &old_term_);
}

InterruptSignals::~InterruptSignals() {
  sigaction(SIGINT, &old_int_, nullptr);
  sigaction(SIGTERM, &old_term_, nullptr);
  interrupted_token = nullptr;
}

}  // namespace dendro
