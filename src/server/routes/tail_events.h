#pragma once

#include <memory>

#include "server/http_message.h"
#include "services/tail/tail_hub.h"

namespace dendro {

/// Frames of a session as server-sent events, one a piece; the session is closed with the stream.
std::unique_ptr<ResponseStream> make_tail_events(std::shared_ptr<TailSession> session, const Clock& clock);

/// One event: `event:`, `id:` (the cursor, where the frame moves it) and `data:` (the frame as JSON).
std::string tail_event_text(const TailFrame& frame);

/// What an EventSource must find under Content-Type.
inline constexpr std::string_view kEventStreamType = "text/event-stream";

}  // namespace dendro
