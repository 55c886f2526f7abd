#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "server/route.h"
#include "services/audit/access_trail.h"

namespace dendro {

/// Who asked for what, of any route: `action` is the route's operation_id.
AccessEntry access_entry_of(const HttpRequest& request, std::string_view action);

/// Hands `response` on once `entry` is durable, or an error instead of it.
void respond_recorded(AccessRecorder& recorder, AccessEntry entry, const HttpRequest& request, HttpResponse response,
                      const Responder& respond);

/// As on_workers, each answer recorded before it leaves: that it was given, or that there is no such thing. Requests
/// that are refused or fail read nothing and leave no entry.
HttpHandler on_workers_recorded(WorkerPool& pool, AccessRecorder& recorder, std::string action,
                                std::function<HttpResponse(const HttpRequest&)> work);

}  // namespace dendro
