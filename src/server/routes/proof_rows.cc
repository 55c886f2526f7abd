#include "server/routes/proof_rows.h"

#include <utility>

#include "base/json_document.h"
#include "record/record_id.h"
#include "server/route.h"

namespace dendro {
namespace {

class ProofStream final : public ResponseStream {
 public:
  ProofStream(std::unique_ptr<ResponseStream> inner, std::shared_ptr<ProofRows> rows)
      : inner_(std::move(inner)), rows_(std::move(rows)) {}

  void next(std::function<void(Piece)> done) override {
    inner_->next([rows = rows_, done = std::move(done)](Piece piece) {
      if (!piece) return done(std::move(piece));
      if (!*piece) {
        std::string rest = rows->rest();
        return done(rest.empty() ? Piece(std::optional<std::string>()) : Piece(std::move(rest)));
      }
      auto with_proofs = rows->add_to(**piece);
      if (!with_proofs) return done(with_proofs.error());
      done(std::optional(std::move(*with_proofs)));
    });
  }

 private:
  const std::unique_ptr<ResponseStream> inner_;
  const std::shared_ptr<ProofRows> rows_;
};

}  // namespace

Result<std::string> ProofRows::add_to(std::string_view ndjson) {
  begun_.append(ndjson);
  std::string out;
  std::size_t first = 0;
  for (std::size_t end = begun_.find('\n'); end != std::string::npos; end = begun_.find('\n', first)) {
    DENDRO_TRY(append_line(out, std::string_view(begun_).substr(first, end - first)));
    first = end + 1;
  }
  begun_.erase(0, first);
  return out;
}

Status ProofRows::append_line(std::string& out, std::string_view line) {
  const auto row = parse_json_document(line);
  const JsonValue* id = row && row->is_object() ? row->find("_id") : nullptr;
  if (id == nullptr || !id->is_string() || !line.ends_with('}')) {
    out.append(line).append("\n");
    return {};
  }
  DENDRO_TRY_ASSIGN(const std::string proof, proof_of(*id->as_string()));
  out.append(line.substr(0, line.size() - 1)).append(",\"_proof\":").append(proof).append("}\n");
  return {};
}

Result<std::string> ProofRows::proof_of(std::string_view id) {
  const auto position = parse_record_id(id);
  if (!position) return std::string("null");
  DENDRO_TRY_ASSIGN(const auto block, whole_->find(*position));
  if (!block) return std::string("null");
  auto proof = prover_->prove(*block);
  if (!proof && proof.error().code() != ErrorCode::not_found && proof.error().code() != ErrorCode::unavailable) {
    return proof.error();
  }
  if (!proof) return std::string("null");
  if (is_hidden_) withhold_fields(*proof, is_hidden_);
  return record_proof_json(*proof);
}

void add_proofs(HttpResponse& response, std::shared_ptr<ProofRows> rows, const HttpRequest& request) {
  if (response.stream != nullptr) {
    response.stream = std::make_unique<ProofStream>(std::move(response.stream), std::move(rows));
    return;
  }
  auto with_proofs = rows->add_to(response.body);
  if (!with_proofs) {
    response = error_response(request.error_shape, with_proofs.error(), request.request_id);
    return;
  }
  response.body = std::move(*with_proofs) + rows->rest();
}

}  // namespace dendro
