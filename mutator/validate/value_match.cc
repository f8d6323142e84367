#include "mutator/validate/value_match.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "mcr/base/bytes.h"

namespace mcr::mutator {
namespace {

using Bytes = std::span<const std::byte>;
using Kind = FieldMatch::Kind;
using Target = WordVerdict::Target;

constexpr size_t kWord = 8;

uint64_t Load(Bytes bytes, size_t size = kWord) {
  uint64_t raw = 0;
  std::memcpy(&raw, bytes.data(), std::min({size, sizeof raw, bytes.size()}));
  return raw;
}

// With its sign in all of the wider type, so that numbers of different width compare.
__int128 Number(uint64_t raw, uint32_t bits, bool is_signed) {
  if (bits < 64) raw &= (uint64_t{1} << bits) - 1;
  const bool negative = is_signed && bits > 0 && (raw >> (bits - 1) & 1) != 0;
  return negative ? static_cast<__int128>(raw) - (static_cast<__int128>(1) << bits)
                  : static_cast<__int128>(raw);
}

std::string Text(__int128 number) {
  return number < 0 ? fmt::format("{}", static_cast<int64_t>(number))
                    : fmt::format("{}", static_cast<uint64_t>(number));
}

double Float(Bytes bytes) {
  if (bytes.size() == sizeof(float)) {
    float value;
    std::memcpy(&value, bytes.data(), sizeof value);
    return value;
  }
  double value = 0;
  std::memcpy(&value, bytes.data(), std::min(bytes.size(), sizeof value));
  return value;
}

// The old number as the new type holds it.
bool SameFloat(Bytes before, Bytes after) {
  const double wide = Float(before);
  const auto narrow = static_cast<float>(wide);
  const Bytes expected = after.size() == sizeof narrow ? Bytes(std::as_bytes(std::span(&narrow, 1)))
                                                       : Bytes(std::as_bytes(std::span(&wide, 1)));
  return std::max(before.size(), after.size()) > sizeof(double) || SameBytes(expected, after);
}

bool SameText(Bytes before, Bytes after) {
  const size_t size = std::min(before.size(), after.size());
  const auto differs = std::ranges::mismatch(before.first(size), after.first(size)).in1;
  const auto at = static_cast<size_t>(differs - before.begin());
  if (at == size) return true;
  // Its end was moved to where there is room for it.
  return after.size() < before.size() && at + 1 == size && after[at] == std::byte{0};
}

}  // namespace

void ValueMatch::Compare(const VersionPair& owner, const LayoutMatch& layout, Bytes before,
                         Bytes after, const Holder& holder) {
  Begin(&owner, holder, before);
  if (before.size() < layout.before_size || after.size() < layout.after_size) {
    return Differs("a whole value", "shorter than its type");
  }
  Value(layout, before, after);
  if (!layout.flexible) return;
  FieldMatch elements = *layout.flexible;
  const uint64_t size = elements.before_size;
  if (size == 0 || before.size() < elements.before) return;
  elements.count = (before.size() - elements.before) / size;
  const uint64_t room = after.size() < elements.after ? 0 : after.size() - elements.after;
  elements.count = std::min(elements.count, room / std::max<uint64_t>(elements.after_size, 1));
  Field(elements, before, after);
}

void ValueMatch::CompareUntyped(Bytes before, Bytes after, const Holder& holder) {
  Begin(nullptr, holder, before);
  const size_t size = std::min(before.size(), after.size());
  Words(before.first(size), after.first(size));
}

void ValueMatch::CompareWord(const WordVerdict& verdict, const Holder& holder) {
  Begin(nullptr, holder, {});
  Judge(verdict);
}

void ValueMatch::Begin(const VersionPair* owner, const Holder& holder, Bytes before) {
  owner_ = owner;
  holder_ = &holder;
  begin_ = before.data();
  path_.clear();
}

// Which of them a part of the old value overlaps.
std::span<const Range<Addr>> ValueMatch::FromNext(Bytes before) const {
  if (from_next_.empty() || holder_->at.IsNull() || before.empty()) return {};
  const Addr at = PlaceOf(before);
  const auto first = std::ranges::upper_bound(from_next_, at, {},
                                              [](const Range<Addr>& each) { return each.end(); });
  const auto last = std::ranges::lower_bound(first, from_next_.end(), at + before.size(), {},
                                             [](const Range<Addr>& each) { return each.begin(); });
  return {first, last};
}

bool ValueMatch::IsFromNext(Bytes before) const {
  const auto parts = FromNext(before);
  return parts.size() == 1 &&
         parts.front().Contains(*Range<Addr>::FromSize(PlaceOf(before), before.size()));
}

// The new bytes of a part of which only some are to be compared: the others are as they were.
std::vector<std::byte> ValueMatch::ButFromNext(Bytes before, Bytes after) const {
  std::vector<std::byte> bytes(after.begin(), after.end());
  const Addr begin = PlaceOf(before), end = begin + std::min(before.size(), after.size());
  for (const Range<Addr>& part : FromNext(before)) {
    for (Addr at = std::max(begin, part.begin()); at < std::min(end, part.end()); at = at + 1) {
      bytes[at - begin] = before[at - begin];
    }
  }
  return bytes;
}

void ValueMatch::Value(const LayoutMatch& layout, Bytes before, Bytes after) {
  for (const FieldMatch& field : layout.fields) {
    if (field.kind == Kind::kCases) {
      path_.push_back({&field, 0});
      Cases(field, before, before.subspan(field.before), after.subspan(field.after));
      path_.pop_back();
    } else {
      Field(field, before, after);
    }
  }
}

void ValueMatch::Field(const FieldMatch& field, Bytes before, Bytes after) {
  if (field.kind == Kind::kNested) return Nested(field, before, after);
  const Bytes from = before.subspan(field.before), to = after.subspan(field.after);
  const Bytes old = from.first(std::min<size_t>(from.size(), field.before_size));
  const Bytes now = to.first(std::min<size_t>(to.size(), field.after_size));
  if (IsFromNext(old)) return;
  ++findings_.values.checked;
  path_.push_back({&field, 0});
  switch (field.kind) {
    case Kind::kBytes:
      if (!SameBytes(old, now)) Words(old, ButFromNext(old, now));
      break;
    case Kind::kUntyped:
      Words(old.first(std::min(old.size(), now.size())),
            now.first(std::min(old.size(), now.size())));
      break;
    case Kind::kPointer:
      if (!field.first) {
        Pointer(field, old, now);
      } else if (Load(before.subspan(*field.first), kWord) != 0) {
        Judge(words_.Check(Load(old) - 1, Load(now) - 1, {}));
      }
      break;
    case Kind::kInteger: {
      const auto bits = [](Bytes bytes) { return static_cast<uint32_t>(bytes.size() * 8); };
      const __int128 was = Number(Load(old), bits(old), field.before_signed);
      const __int128 is = Number(Load(now), bits(now), field.after_signed);
      if (was != is) Differs(Text(was), Text(is));
      break;
    }
    case Kind::kBits: {
      const auto was =
          Number(Load(from) >> field.before_bit, field.before_bits, field.before_signed);
      const auto is = Number(Load(to) >> field.after_bit, field.after_bits, field.after_signed);
      if (was != is) Differs(Text(was), Text(is));
      break;
    }
    case Kind::kFloat:
      if (!SameFloat(old, now))
        Differs(fmt::format("{}", Float(old)), fmt::format("{}", Float(now)));
      break;
    case Kind::kText:
      if (!SameText(old, now)) Differs("another text", "not its beginning");
      break;
    case Kind::kEnum:
      Enumerators(field, old, now);
      break;
    case Kind::kSize:
      Size(field, old, now);
      break;
    case Kind::kNested:
    case Kind::kCases:
      break;
  }
  path_.pop_back();
}

void ValueMatch::Nested(const FieldMatch& field, Bytes before, Bytes after) {
  path_.push_back({&field, 0});
  for (uint64_t i = 0; i < field.count; ++i) {
    path_.back().index = i;
    Value(*field.element, before.subspan(field.before + i * field.before_size),
          after.subspan(field.after + i * field.after_size));
  }
  path_.pop_back();
}

void ValueMatch::Pointer(const FieldMatch& field, Bytes before, Bytes after) {
  const uint64_t was = Load(before), is = Load(after);
  if ((was & field.tag_mask) != (is & field.tag_mask)) {
    return Differs(Hex(was) + " with its tag", Hex(is));
  }
  const WordType type{owner_, field.before_type, field.after_type, true};
  Judge(words_.Check(was & ~field.tag_mask, is & ~field.tag_mask, type));
}

// The new number's name has to be one of the old number's.
void ValueMatch::Enumerators(const FieldMatch& field, Bytes before, Bytes after) {
  const Type& old = owner_->before().types()[field.before_type];
  const Type& now = owner_->after().types()[field.after_type];
  const auto number = [](Bytes bytes, bool is_signed) {
    return static_cast<int64_t>(
        Number(Load(bytes), static_cast<uint32_t>(bytes.size() * 8), is_signed));
  };
  const int64_t was = number(before, field.before_signed), is = number(after, field.after_signed);
  const bool same = std::ranges::any_of(now.enumerators, [&](const Enumerator& named) {
    return named.value == is && std::ranges::any_of(old.enumerators, [&](const Enumerator& each) {
             return each.name == named.name && each.value == was;
           });
  });
  if (!same) Differs(std::to_string(was), std::to_string(is) + ", another enumerator");
}

void ValueMatch::Size(const FieldMatch& field, Bytes before, Bytes after) {
  const uint64_t was = Load(before), is = Load(after);
  const bool is_size = was == owner_->before().types()[field.before_type].size;
  const uint64_t right = is_size ? owner_->after().types()[field.after_type].size : was;
  if (is != right) Differs(std::to_string(right), std::to_string(is));
}

void ValueMatch::Cases(const FieldMatch& field, Bytes owner, Bytes before, Bytes after) {
  const uint64_t tag = Load(owner.subspan(field.discriminator), field.discriminator_size);
  const auto valid = field.cases.find(static_cast<int64_t>(tag));
  if (valid != field.cases.end()) Value(*valid->second, before, after);
}

void ValueMatch::Words(Bytes before, Bytes after) {
  size_t at = 0;
  while (at < before.size()) {
    const bool whole = at + kWord <= before.size();
    if (whole && at % kWord == 0 && IsSameWord(Load(before.subspan(at)), Load(after.subspan(at)))) {
      at += kWord;
    } else if (const size_t right = Retargeted(before, after, at)) {
      at += right;
    } else if (before[at] == after[at] &&
               (at % kWord != 0 || !whole || Load(before.subspan(at)) != Load(after.subspan(at)))) {
      ++at;
    } else {
      const size_t begin = at / kWord * kWord;
      const WordVerdict verdict =
          words_.Check(Load(before.subspan(begin)), Load(after.subspan(begin)), {});
      return Judge(verdict.ok() ? WordVerdict{Target::kNone, "differs"} : verdict);
    }
  }
}

size_t ValueMatch::Retargeted(Bytes before, Bytes after, size_t at) const {
  for (size_t back = 0; back < kWord && back <= at; ++back) {
    const size_t begin = at - back;
    if (begin + kWord > before.size()) continue;
    const uint64_t was = Load(before.subspan(begin)), is = Load(after.subspan(begin));
    if (was == is) continue;
    const bool right = words_.Check(was, is, {}).ok() ||
                       words_.Check(guard_.Demangle(was), guard_.Demangle(is), {}).ok();
    if (right) return begin + kWord - at;
  }
  return 0;
}

// Most pointers of a server lead to the same few functions and variables.
bool ValueMatch::IsSameWord(uint64_t before, uint64_t after) {
  SameWord& known = same_words_[before * kGoldenRatio >> (64 - kSameWordBits)];
  if (known.before == before && known.after == after) return true;
  if (!words_.Check(before, after, {}).ok()) return false;
  known = {before, after};
  return true;
}

void ValueMatch::Judge(const WordVerdict& verdict) {
  Finding& finding = verdict.target == Target::kCode   ? findings_.code_pointers
                     : verdict.target == Target::kData ? findings_.data_pointers
                                                       : findings_.values;
  if (verdict.target != Target::kNone) ++finding.checked;
  if (!verdict.ok()) finding.Wrong(Where() + " " + verdict.wrong);
}

void ValueMatch::Differs(const std::string& was, const std::string& is) {
  findings_.values.Wrong(fmt::format("{} was {} and is {}", Where(), was, is));
}

std::string ValueMatch::Where() const {
  std::string path;
  for (const Step& step : path_) {
    if (!step.field->name.empty()) path += (path.empty() ? "" : ".") + step.field->name;
    if (step.field->kind == Kind::kNested && step.field->count > 1) {
      path += fmt::format("[{}]", step.index);
    }
  }
  const std::string holder =
      holder_->at.IsNull() ? holder_->name : holder_->name + " at " + Hex(holder_->at);
  return path.empty() ? holder : fmt::format("field `{}` of {}", path, holder);
}

}  // namespace mcr::mutator
