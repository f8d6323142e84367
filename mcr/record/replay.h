// Says to a server what clients said when it was recorded, and compares what it answers.
#ifndef MCR_RECORD_REPLAY_H_
#define MCR_RECORD_REPLAY_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "mcr/base/result.h"
#include "mcr/record/recording.pb.h"

namespace mcr::record {

struct ReplayOptions {
  std::string host = "127.0.0.1";      // a numeric address
  std::map<uint16_t, uint16_t> ports;  // recorded -> now; others are the same
  double speed = 1;                    // of the recorded time; 0: as fast as the server answers
  std::chrono::milliseconds timeout{10000};  // for an answer
  std::vector<std::string> masks;            // beside the recording's
  // Called once, in the middle: no client says anything that it said in the second half of the
  // recorded time before it returns. All connections stay open meanwhile.
  std::function<void()> during;
};

struct Mismatch {
  size_t connection = 0;  // index into the recording's
  std::string text;       // what differs, in lines
};

struct ReplayResult {
  size_t connections = 0;
  uint64_t sent = 0, received = 0;  // bytes
  std::vector<Mismatch> mismatches;
};

Result<Recording> LoadRecording(const std::string& path);

Result<ReplayResult> Replay(const Recording& recording, const ReplayOptions& options);

}  // namespace mcr::record

#endif  // MCR_RECORD_REPLAY_H_
