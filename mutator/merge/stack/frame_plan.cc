#include "mutator/merge/stack/frame_plan.h"

#include <fmt/format.h>

namespace mcr::mutator {
namespace {

std::string InFrame(FrameOffset offset) { return fmt::format("cfa{:+#x}", offset); }

std::string Describe(const Location& place) {
  const auto number = [&] { return kRegisterNames[static_cast<size_t>(place.register_number)]; };
  switch (place.kind) {
    case Location::Kind::kNowhere:
      return "nowhere";
    case Location::Kind::kRegister:
      return std::string(number());
    case Location::Kind::kFrame:
      return fmt::format("[{}]", InFrame(place.offset));
    case Location::Kind::kRegisterMemory:
      return fmt::format("[{}{:+#x}]", number(), place.offset);
    case Location::Kind::kFrameAddress:
      return InFrame(place.offset);
    case Location::Kind::kRegisterSum:
      return fmt::format("{}{:+#x}", number(), place.offset);
    case Location::Kind::kNumber:
      return fmt::format("{}", place.offset);
    case Location::Kind::kEntry:
      return fmt::format("{} on entry", number());
  }
  return "";
}

std::string Describe(const std::vector<Location>& pieces) {
  std::string text;
  for (const Location& piece : pieces) text += (text.empty() ? "" : ", ") + Describe(piece);
  return text;
}

std::string Describe(const FrameTarget& target) {
  return target.register_number == kNoRegister
             ? fmt::format("[{}]", InFrame(target.at))
             : std::string(kRegisterNames[static_cast<size_t>(target.register_number)]);
}

std::string Describe(const FlowValue& value) {
  switch (value.kind) {
    case FlowValue::Kind::kNumber:
      return fmt::format("{}", value.offset);
    case FlowValue::Kind::kFrame:
      return InFrame(value.offset);
    case FlowValue::Kind::kProgram:
      return fmt::format("program+{:#x}", value.offset);
    case FlowValue::Kind::kGuard:
      return "the stack guard";
    case FlowValue::Kind::kEntry:
    case FlowValue::Kind::kUnknown:
      break;
  }
  return "unknown";
}

}  // namespace

std::string Describe(const FramePlan& plan) {
  std::string text = fmt::format("{}: {} to {} bytes{}\n", plan.function, -plan.old_stack,
                                 -plan.new_stack, plan.never_returns ? ", never left" : "");
  for (const CarriedVariable& each : plan.carried) {
    text += fmt::format("  {}: {} <- {}{}\n", each.name, Describe(each.to), Describe(each.from),
                        each.required ? "" : " (not read)");
  }
  for (const ComputedValue& each : plan.computed) {
    text += fmt::format("  {} <- {}\n", Describe(each.to), Describe(each.value));
  }
  for (const ModelledValue& each : plan.modelled) {
    text += fmt::format("  {} <- the new version's start: {}\n", Describe(each.to), each.what);
  }
  for (const std::string& problem : plan.problems) text += fmt::format("  ! {}\n", problem);
  return text;
}

}  // namespace mcr::mutator
