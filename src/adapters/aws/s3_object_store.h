#pragma once

#include <memory>

#include "adapters/aws/aws_client.h"
#include "io/object_store.h"

namespace dendro {

struct S3Options {
  enum class Addressing : std::uint8_t { automatic, path, virtual_host };
  Addressing addressing = Addressing::automatic;      ///< virtual host at AWS where the name allows it, path elsewhere
  std::size_t page_objects_max = 1'000;               ///< 1 to 1,000; smaller in tests
  std::size_t range_bytes = std::size_t{8} << 20;     ///< what a reader of an object holds in memory
  std::size_t put_bytes_max = std::size_t{8} << 20;   ///< more is sent in parts
  std::size_t part_bytes_min = std::size_t{8} << 20;  ///< S3 takes 5 MiB at least, 10,000 parts at most
};

/// ObjectStore on S3 and what speaks like it. Thread-safe; `client` and `settings` outlive it and its sources.
///
/// An object is read in ranges, each pinned to the version that the first was of (If-Match), so that no connection
/// waits for a slow reader, a cut one is taken up where it broke, and memory is one range. Where a bucket is in another
/// region, S3 says so once and it is remembered.
///
/// Texts of errors begin with the word that S3 has for them, as store_error_word expects.
std::unique_ptr<ObjectStore> make_s3_object_store(AwsClient& client, const AwsSettings& settings,
                                                  S3Options options = {});

}  // namespace dendro
