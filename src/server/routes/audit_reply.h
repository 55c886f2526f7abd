#pragma once

#include <string>
#include <string_view>

#include "base/field_fault.h"
#include "server/route.h"

namespace dendro {

/// `{"data":<data>,"meta":null}`; `data` is JSON.
HttpResponse audit_data_reply(int status, std::string_view data);
/// The 422 of S2 in the request's shape (five-systems.md 1.5): `{"detail":[..]}`, or a problem with `errors`.
HttpResponse audit_fault_reply(const HttpRequest& request, const FieldFaults& faults);
/// An error of the store's; texts of our own faults stay inside.
HttpResponse audit_error_reply(const HttpRequest& request, const Error& error);

/// A row of the audit log service: listeners `platform` and `audit`, errors by profile, X-Tenant-ID wanted.
Route audit_route(std::string method, std::string path, std::string operation_id, std::string summary,
                  Permission permission);
RouteParam audit_param(std::string name, std::string schema, std::string description, bool required = false);
RouteReply audit_fault_doc();
/// JSON Schema of a stored log, and one as an example.
std::string audit_log_schema();
std::string audit_log_example();

}  // namespace dendro
