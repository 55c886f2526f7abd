// The program that kill_test.cc kills: `kill_writer FOLDER FIRST` appends requests FIRST, FIRST + 1, ... to the store
// in FOLDER, many in flight, and writes the number of each one that was acknowledged as 8 bytes to stdout.

#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <semaphore>

#include "record/record_batch_builder.h"
#include "storage/store.h"
#include "tests/storage/kill_request.h"

int main(int argc, char** argv) {
  using namespace dendro;
  if (argc != 3) return 2;
  const auto files = make_posix_file_system();
  SystemClock clock;
  SystemRandom random;
  auto store = Store::open(kill_test_options(argv[1]), *files, clock, random);
  if (!store) {
    std::cerr << store.error().message() << "\n";
    return 1;
  }
  std::counting_semaphore<64> in_flight(64);
  for (std::uint64_t number = std::strtoull(argv[2], nullptr, 10);; ++number) {
    in_flight.acquire();
    const Status taken =
        (*store)->append(make_kill_request(number), [&in_flight, number](const Result<CommitReply>& reply) {
          if (reply && ::write(STDOUT_FILENO, &number, sizeof number) != sizeof number) std::_Exit(3);
          in_flight.release();
        });
    if (!taken) in_flight.release();
  }
}
