#include <algorithm>
#include <memory>
#include <utility>

#include "server/routes/audit_access.h"
#include "server/routes/audit_params.h"
#include "server/routes/audit_reply.h"
#include "server/routes/audit_routes.h"
#include "server/routes/caller_restriction.h"
#include "services/audit/audit_export.h"

namespace dendro {
namespace {

constexpr std::size_t kExportPieceBytes = std::size_t{64} << 10;

/// The logs of an export as pieces of its file. One worker at a time.
class ExportPieces {
 public:
  ExportPieces(std::unique_ptr<AuditLogSource> source, AuditExportFormat format)
      : source_(std::move(source)), writer_(format) {}

  /// Nothing at the end.
  Result<std::optional<std::string>> next() {
    std::string piece;
    if (!std::exchange(has_begun_, true)) writer_.begin(piece);
    while (!has_ended_ && piece.size() < kExportPieceBytes) {
      DENDRO_TRY_ASSIGN(const std::optional<AuditLog> log, source_->next());
      if (log) {
        writer_.append(piece, *log);
      } else {
        writer_.end(piece);
        has_ended_ = true;
      }
    }
    if (piece.empty()) return std::optional<std::string>();
    return std::optional<std::string>(std::move(piece));
  }

 private:
  const std::unique_ptr<AuditLogSource> source_;
  AuditExportWriter writer_;
  bool has_begun_ = false, has_ended_ = false;
};

/// A reply as long as its reader takes it. What fails ends it without its last chunk, so that no part of a file looks
/// like all of it.
class AuditExportStream final : public ResponseStream {
 public:
  AuditExportStream(std::unique_ptr<ExportPieces> pieces, WorkerPool& workers, CancelToken cancel)
      : pieces_(std::move(pieces)), workers_(workers), cancel_(std::move(cancel)) {}
  ~AuditExportStream() override { cancel_.cancel(); }

  void next(std::function<void(Piece)> done) override {
    // The pieces outlive this object while a worker is in them.
    if (Status queued = workers_.submit([pieces = pieces_, done] { done(pieces->next()); }); !queued) {
      done(Piece(queued.error()));
    }
  }

 private:
  const std::shared_ptr<ExportPieces> pieces_;
  WorkerPool& workers_;
  CancelToken cancel_;
};

/// "audit-logs-20260131T100000Z.csv".
std::string export_file_name(Timestamp received, AuditExportFormat format) {
  std::string time = to_rfc3339(received, 0);
  std::erase_if(time, [](char c) { return c == '-' || c == ':'; });
  return "audit-logs-" + time + "." + std::string(audit_export_name(format));
}

HttpResponse export_logs(AuditStore& store, WorkerPool& workers, const HttpRequest& request) {
  FieldFaults faults;
  const AuditFilter filter = audit_filter_of(request, faults);
  const auto format = parse_audit_export_format(request.query_param("format").value_or("json"));
  if (!format) faults.push_back(enum_fault("query", "format", "'json', 'ndjson' or 'csv'"));
  if (!faults.empty()) return audit_fault_reply(request, faults);
  const auto reader = audit_reader_of(request);
  if (!reader) return audit_error_reply(request, reader.error());
  auto source = store.read_all(*reader, filter, request.cancel);
  if (!source) return audit_error_reply(request, source.error());
  HttpResponse response;
  response.content_type = audit_export_content_type(*format);
  response.headers.add("Content-Disposition",
                       "attachment; filename=\"" + export_file_name(request.received, *format) + "\"");
  response.headers.add("Cache-Control", "no-store");
  response.stream = std::make_unique<AuditExportStream>(std::make_unique<ExportPieces>(std::move(*source), *format),
                                                        workers, request.cancel);
  return response;
}

}  // namespace

Route make_audit_export_route(const AuditRouteParts& parts) {
  Route route = audit_route("GET", parts.api_prefix + "/logs/export", "export_logs", "Export audit logs",
                            Permission::export_records);
  route.honours_restrictions = true;
  route.use = RouteUse::own;
  route.description =
      "All logs that the filters keep, newest first, as one file of any size. `json` is one array, `ndjson` a log a "
      "line, `csv` has fixed columns, objects as JSON, and an apostrophe before cells that a spreadsheet would take "
      "for "
      "a formula. An export that breaks off ends without its last chunk.";
  route.params.push_back(audit_param("format", R"({"type":"string","enum":["json","ndjson","csv"],"default":"json"})",
                                     "Form of the file."));
  add_filter_params(route);
  route.replies = {{200, "The file.", "application/json", {}, "[" + audit_log_example() + "]"},
                   {200, "The file.", "application/x-ndjson", {}, {}},
                   {200, "The file.", "text/csv", {}, {}},
                   audit_fault_doc()};
  route.handler = on_workers_recorded(parts.workers, parts.trail, route.operation_id,
                                      [&store = parts.store, &workers = parts.workers](const HttpRequest& request) {
                                        return export_logs(store, workers, request);
                                      });
  return route;
}

}  // namespace dendro
