#pragma once

#include <optional>
#include <string>
#include <vector>

#include "record/record_block.h"
#include "services/evidence/merkle_tree.h"

namespace dendro {

/// One value of a record as its leaf covers it. Without its salt the hash of a value says nothing about the value.
struct FieldOpening {
  std::string name;                ///< role, type, path, key (docs/formats/chain.md)
  Hash32 salt{};                   ///< of this value alone
  std::string value;               ///< as chain.md encodes it
  std::optional<Hash32> withheld;  ///< the value's hash, in place of salt and value
};

/// All that a record's leaf is made of.
struct RecordOpening {
  std::string head;  ///< sequence number, times, severity, nesting
  std::vector<FieldOpening> fields;
};

/// @param range_key  the secret of the entry that covers the record.
RecordOpening open_record(const RecordBlock& block, std::uint32_t row, const Hash32& range_key);
/// The leaf of the tree. What is withheld does not change it.
Hash32 leaf_of(const RecordOpening& opening);
/// Hashes the value in place of showing it.
void withhold(FieldOpening& field);

/// The head taken apart, for people. Errors: invalid_argument.
struct RecordHead {
  std::uint64_t sequence = 0;
  std::int64_t timestamp_ns = 0;
  std::int64_t received_ns = 0;
  std::uint8_t severity = 0;
};
std::optional<RecordHead> read_record_head(std::string_view head);
/// The path of a field's name; nothing if it is not one.
std::optional<std::string> path_of_field(std::string_view name);
/// The value as the text that queries see; nothing if name and value are not what open_record makes.
std::optional<std::string> value_text_of_field(const FieldOpening& field);

}  // namespace dendro
