#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "io/file_system.h"
#include "io/http_client.h"
#include "io/object_store.h"
#include "io/queue.h"
#include "services/evidence/evidence_service.h"

namespace dendro {

/// Appends a line a head to the file, which should lie where the server's operator cannot rewrite it. `files` outlives
/// it.
std::unique_ptr<HeadAnchor> make_file_anchor(FileSystem& files, std::string path);

/// An object a head, `<tenant>/<index, 20 digits>.json`, in a bucket that should keep what it holds. `objects` outlives
/// it.
std::unique_ptr<HeadAnchor> make_object_anchor(ObjectStore& objects, std::string bucket);

/// POSTs each head to the URL. Heads wait in the queue, on disk, until the other side answered 2xx: a thread of its own
/// sends them, the oldest first, one that was refused behind the others, again after `retry_first`, twice that, .. up
/// to an hour. Never given up. All outlive it.
struct WebhookAnchorParts {
  HttpClient& http;
  Queue& queue;
  std::string url;
  std::string secret = {};  ///< signs the body: X-Dendro-Signature, as of alerts; empty: no signature
  std::chrono::milliseconds retry_first{5'000};
};
std::unique_ptr<HeadAnchor> make_webhook_anchor(WebhookAnchorParts parts);

}  // namespace dendro
