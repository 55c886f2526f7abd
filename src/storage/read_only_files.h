#pragma once

#include <memory>
#include <string>
#include <vector>

#include "io/file_system.h"

namespace dendro {

/// Another file system whose files nobody changes: changes seem to succeed and do nothing. So that recovery itself can
/// say whether it would succeed. Thread-safe as far as the other one is.
class ReadOnlyFiles final : public FileSystem {
 public:
  /// `files` outlives this.
  explicit ReadOnlyFiles(FileSystem& files) : files_(files) {}
  Status create_directories(const std::string&) override { return {}; }
  Status sync_directory(const std::string&) override { return {}; }
  Result<std::unique_ptr<WritableFile>> open_writable(const std::string&, OpenMode) override {
    return std::unique_ptr<WritableFile>(std::make_unique<Sink>());
  }
  Result<std::unique_ptr<RandomReader>> open_reader(const std::string& path) override {
    return files_.open_reader(path);
  }
  Status rename(const std::string&, const std::string&) override { return {}; }
  Status remove(const std::string&) override { return {}; }
  Result<std::vector<std::string>> list(const std::string& path) override { return files_.list(path); }
  bool exists(const std::string& path) override { return files_.exists(path); }
  Result<DiskSpace> disk_space(const std::string& path) override { return files_.disk_space(path); }
  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override { return files_.lock(path); }

 private:
  class Sink final : public WritableFile {
   public:
    Status write_at(std::uint64_t, std::span<const std::string_view>) override { return {}; }
    Status sync() override { return {}; }
    Status truncate(std::uint64_t) override { return {}; }
    Result<std::uint64_t> size() override { return std::uint64_t{0}; }
  };
  FileSystem& files_;
};

}  // namespace dendro
