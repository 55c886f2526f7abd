#include "record/record_json.h"

#include "base/json_writer.h"

namespace dendro {

void append_record_json(std::string& out, const RecordView& record) {
  const Shape& shape = record.shape();
  const char* at = record.value_bytes().data();
  std::string scratch;
  JsonWriter json(out);
  json.begin_object();
  for (const ShapeOp& op : shape.ops) {
    if (op.kind == ShapeOp::Kind::open) {
      json.key(op.key);
      json.begin_object();
    } else if (op.kind == ShapeOp::Kind::close) {
      json.end_object();
    } else {
      const Leaf& leaf = shape.leaves[op.leaf_index];
      const Value value = leaf.is_stored() ? batch_encoding::read_value(leaf.type, at, record.timestamp())
                                           : record.stream().find(leaf.path)->value;
      scratch.clear();
      append_value_json(scratch, value);
      json.key(leaf.key);
      json.raw(scratch);
    }
  }
  json.end_object();
}

}  // namespace dendro
