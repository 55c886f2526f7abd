#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "server/web_socket_reader.h"

namespace dendro {

/// A frame as clients send it.
inline std::string masked_frame(WebSocketOpcode opcode, std::string_view payload, bool is_last = true) {
  constexpr std::string_view kMask("\x11\x22\x33\x44", 4);
  std::string frame;
  append_web_socket_frame(frame, opcode, payload);
  const std::size_t header = frame.size() - payload.size();
  if (!is_last) frame[0] = static_cast<char>(static_cast<unsigned char>(frame[0]) & 0x7FU);
  frame[1] = static_cast<char>(static_cast<unsigned char>(frame[1]) | 0x80U);
  frame.insert(header, kMask);
  for (std::size_t i = 0; i < payload.size(); ++i) {
    char& c = frame[header + kMask.size() + i];
    c = static_cast<char>(static_cast<unsigned char>(c) ^ static_cast<unsigned char>(kMask[i % kMask.size()]));
  }
  return frame;
}

}  // namespace dendro
