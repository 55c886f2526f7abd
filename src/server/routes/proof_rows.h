#pragma once

#include <functional>
#include <memory>
#include <string>

#include "server/http_message.h"
#include "services/evidence/evidence_service.h"
#include "storage/snapshot.h"

namespace dendro {

/// Puts proofs into the rows of an answer. One thread at a time.
class ProofRows {
 public:
  /// @param whole      the records without any restriction, which proofs are made of.
  /// @param is_hidden  whether the caller may not see a field; null: it may see all.
  ProofRows(std::unique_ptr<RecordProver> prover, std::shared_ptr<const Snapshot> whole,
            std::function<bool(std::string_view path)> is_hidden)
      : prover_(std::move(prover)), whole_(std::move(whole)), is_hidden_(std::move(is_hidden)) {}

  /// Of NDJSON, cut anywhere: the whole lines so far, each object with an `_id` with its `_proof` behind its other
  /// members, null where the chain does not cover the record. Errors: those of RecordProver but for these.
  Result<std::string> add_to(std::string_view ndjson);
  /// What is left of a line without an end.
  std::string rest() { return std::move(begun_); }

 private:
  Status append_line(std::string& out, std::string_view line);
  Result<std::string> proof_of(std::string_view id);

  const std::unique_ptr<RecordProver> prover_;
  const std::shared_ptr<const Snapshot> whole_;
  const std::function<bool(std::string_view path)> is_hidden_;
  std::string begun_;
};

/// Makes every row of `response` pass through `rows`.
void add_proofs(HttpResponse& response, std::shared_ptr<ProofRows> rows, const HttpRequest& request);

}  // namespace dendro
