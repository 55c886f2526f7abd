// Entries of a chain, and proofs as somebody may send them: what is read must be written the same way again, and no
// proof is good by itself.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "services/evidence/chain_entry.h"
#include "services/evidence/chain_verifier.h"
#include "services/evidence/record_proof.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace dendro;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto entry = decode_chain_entry(bytes)) {
    const auto again = decode_chain_entry(encode_chain_entry(*entry));
    DENDRO_CHECK(again.has_value() && *again == *entry);
  }
  if (const auto proof = parse_record_proof(bytes)) {
    DENDRO_CHECK(parse_record_proof(record_proof_json(*proof)).has_value());
    static_cast<void>(check_record_proof(*proof, Hash32{}));
  }
  static_cast<void>(read_anchored_heads(bytes, TenantId::default_tenant()));
  return 0;
}
