#include "mutator/transform/apply.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <string>

namespace mcr::mutator {
namespace {

using Meaning = ValueWord::Meaning;

constexpr size_t kWord = 8;

// An integer of up to 8 bytes with its sign apart, so that both kinds compare.
struct Number {
  uint64_t bits = 0;  // sign-extended if it is signed
  bool negative = false;
};

Number Extend(uint64_t raw, uint32_t width, bool is_signed) {
  if (width < 64) raw &= (uint64_t{1} << width) - 1;
  const bool negative = is_signed && width > 0 && (raw >> (width - 1) & 1) != 0;
  if (negative && width < 64) raw |= ~uint64_t{0} << width;
  return {raw, negative};
}

bool Fits(const Number& number, uint32_t width, bool is_signed) {
  const Number back = Extend(number.bits, width, is_signed);
  return back.bits == number.bits && back.negative == number.negative;
}

std::string Text(const Number& number) {
  return number.negative ? std::to_string(static_cast<int64_t>(number.bits))
                         : std::to_string(number.bits);
}

// For messages; a value that is no field has none.
std::string InField(const Step& step) {
  return step.field.empty() ? "" : fmt::format("field `{}`: ", step.field);
}

uint64_t Load(std::span<const std::byte> bytes, uint64_t at, uint64_t size) {
  uint64_t raw = 0;
  std::memcpy(&raw, bytes.data() + at, std::min<uint64_t>(size, sizeof raw));
  return raw;
}

double LoadFloat(std::span<const std::byte> bytes, uint64_t at, uint64_t size) {
  if (size == sizeof(float)) {
    float value;
    std::memcpy(&value, bytes.data() + at, sizeof value);
    return value;
  }
  double value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

class Applier {
 public:
  Applier(std::span<const std::byte> from, std::span<std::byte> to, const TranslateWord& translate,
          const LeftAlone& untouched)
      : from_(from), to_(to), translate_(translate), untouched_(untouched) {}

  // One value at these offsets.
  Status Value(const Recipe& recipe, uint64_t from, uint64_t to) {
    if (!recipe.problem.empty()) return Fail(recipe.problem);
    if (from + recipe.from_size > from_.size() || to + recipe.to_size > to_.size()) {
      return Fail("an object is shorter than its type");
    }
    for (const Step& step : recipe.steps) MCR_TRY(Take(step, from, to));
    return {};
  }

  // What is left of both spans behind these offsets.
  Status Flexible(const FlexibleArray& array, uint64_t from, uint64_t to) {
    const Recipe& element = *array.element;
    if (element.from_size == 0 || element.to_size == 0) return {};
    uint64_t ours = from + array.from, theirs = to + array.to;
    while (ours + element.from_size <= from_.size() && theirs + element.to_size <= to_.size()) {
      MCR_TRY(Value(element, ours, theirs));
      ours += element.from_size;
      theirs += element.to_size;
    }
    return {};
  }

 private:
  Status Take(const Step& step, uint64_t from, uint64_t to) {
    from += step.from;
    to += step.to;
    switch (step.kind) {
      case Step::Kind::kBytes:
        return Bytes(from, to, step.from_size);
      case Step::Kind::kConstant:
        std::memcpy(to_.data() + to, &step.constant, std::min(step.to_size, sizeof step.constant));
        return {};
      case Step::Kind::kFunction:
        return Put(to, {from, to, static_cast<uint64_t>(step.constant), 0, Meaning::kNew}, 0);
      case Step::Kind::kText:
        std::memcpy(to_.data() + to, from_.data() + from, step.to_size);
        return EndText(step, from, to);
      case Step::Kind::kOpaque:
        return Opaque(from, to, step.from_size);
      case Step::Kind::kPointer:
        if (step.first) return End(from, to, from - step.from + *step.first);
        return Word(from, to, step.before, Meaning::kPointer, step.tag_mask);
      case Step::Kind::kInteger:
        return Integer(step, from, to);
      case Step::Kind::kFloat:
        return Float(step, from, to);
      case Step::Kind::kEnum:
        return Mapped(step, from, to, step.reason);
      case Step::Kind::kSize:
        return Mapped(step, from, to, "not the size of what it is annotated to be the size of");
      case Step::Kind::kBits:
        return Bits(step, from, to);
      case Step::Kind::kUnion:
        return Union(step, from, to);
      case Step::Kind::kZero:
        return Zero(step, from);
      case Step::Kind::kElse:
        if (untouched_ && untouched_(from, step.count * step.from_size)) return {};
        return Fail(step.reason);
      case Step::Kind::kNested:
        for (uint64_t i = 0; i < step.count; ++i) {
          MCR_TRY(Value(*step.element, from + i * step.from_size, to + i * step.to_size));
        }
        return {};
    }
    return {};
  }

  Status Zero(const Step& step, uint64_t from) {
    const auto bytes = from_.subspan(from, step.from_size);
    const bool zero = std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0}; });
    return zero ? Status() : Fail(step.reason);
  }

  // A text that ended within the old array ends within the new one.
  Status EndText(const Step& step, uint64_t from, uint64_t to) {
    const auto text = from_.subspan(from, step.from_size);
    if (std::ranges::find(text, std::byte{0}) != text.end() && step.to_size != 0) {
      const auto kept = to_.subspan(to, step.to_size);
      if (std::ranges::find(kept, std::byte{0}) == kept.end()) kept.back() = std::byte{0};
    }
    return {};
  }

  Status Bytes(uint64_t from, uint64_t to, uint64_t size) {
    std::memcpy(to_.data() + to, from_.data() + from, size);
    const uint64_t skip = (kWord - from % kWord) % kWord;
    for (uint64_t at = skip; at + kWord <= size; at += kWord) {
      MCR_TRY(Word(from + at, to + at, 0, Meaning::kNumber, 0));
    }
    return {};
  }

  Status Opaque(uint64_t from, uint64_t to, uint64_t size) {
    std::memcpy(to_.data() + to, from_.data() + from, size);
    for (uint64_t at = 0; at + kWord <= size; at += kWord) {
      MCR_TRY(Word(from + at, to + at, 0, Meaning::kLikely, 0));
    }
    return {};
  }

  Status Word(uint64_t from, uint64_t to, TypeId pointee, Meaning meaning, uint64_t tag_mask) {
    const uint64_t word = Load(from_, from, kWord);
    return Put(to, {from, to, word & ~tag_mask, pointee, meaning}, word & tag_mask);
  }

  // The end of an array goes where its last byte goes, whatever begins there. Where there is no
  // array, it is nothing.
  Status End(uint64_t from, uint64_t to, uint64_t first) {
    const uint64_t word = Load(from_, from, kWord);
    uint64_t translated = word;
    if (Load(from_, first, kWord) != 0 && word != 0) {
      MCR_ASSIGN(translated, translate_({from, to, word - 1, 0, Meaning::kPointer}));
      ++translated;
    } else if (const auto likely = translate_({from, to, word, 0, Meaning::kLikely})) {
      translated = *likely;
    }
    std::memcpy(to_.data() + to, &translated, kWord);
    return {};
  }

  Status Put(uint64_t to, const ValueWord& word, uint64_t tag) {
    MCR_ASSIGN(uint64_t translated, translate_(word));
    translated |= tag;
    std::memcpy(to_.data() + to, &translated, kWord);
    return {};
  }

  Status Integer(const Step& step, uint64_t from, uint64_t to) {
    const auto width = static_cast<uint32_t>(step.from_size * 8);
    const Number number = Extend(Load(from_, from, step.from_size), width, step.from_signed);
    if (step.from_size > kWord || step.to_size > kWord) {
      return Fail(InField(step) + "integers of more than 8 bytes");
    }
    if (!Fits(number, static_cast<uint32_t>(step.to_size * 8), step.to_signed)) {
      return DoesNotFit(step, number);
    }
    std::memcpy(to_.data() + to, &number.bits, step.to_size);
    return {};
  }

  static Status DoesNotFit(const Step& step, const Number& number) {
    return Fail(fmt::format("{}{} does not fit (annotation: drop, with initial)", InField(step),
                            Text(number)));
  }

  Status Float(const Step& step, uint64_t from, uint64_t to) {
    if (step.from_size > sizeof(double) || step.to_size > sizeof(double)) {
      return Fail(InField(step) + "a floating-point number of another format");
    }
    const double value = LoadFloat(from_, from, step.from_size);
    if (step.to_size == sizeof(double)) {
      std::memcpy(to_.data() + to, &value, sizeof value);
      return {};
    }
    const auto narrow = static_cast<float>(value);
    std::memcpy(to_.data() + to, &narrow, sizeof narrow);
    return {};
  }

  Status Mapped(const Step& step, uint64_t from, uint64_t to, const std::string& otherwise) {
    const auto width = static_cast<uint32_t>(step.from_size * 8);
    const Number number = Extend(Load(from_, from, step.from_size), width, step.from_signed);
    const auto found = step.enumerators.find(static_cast<int64_t>(number.bits));
    if (found == step.enumerators.end()) {
      return Fail(fmt::format("{}{} is {}", InField(step), Text(number), otherwise));
    }
    std::memcpy(to_.data() + to, &found->second, step.to_size);
    return {};
  }

  Status Bits(const Step& step, uint64_t from, uint64_t to) {
    const uint64_t raw = Load(from_, from, step.from_size) >> step.from_bit;
    const Number number = Extend(raw, step.from_bits, step.from_signed);
    if (!Fits(number, step.to_bits, step.to_signed)) return DoesNotFit(step, number);
    const uint64_t ones = step.to_bits < 64 ? (uint64_t{1} << step.to_bits) - 1 : ~uint64_t{0};
    uint64_t unit = Load(to_, to, step.to_size);
    unit = (unit & ~(ones << step.to_bit)) | ((number.bits & ones) << step.to_bit);
    std::memcpy(to_.data() + to, &unit, std::min<uint64_t>(step.to_size, sizeof unit));
    return {};
  }

  Status Union(const Step& step, uint64_t from, uint64_t to) {
    const uint64_t tag =
        Load(from_, from - step.from + step.discriminator, step.discriminator_size);
    const auto found = step.members.find(static_cast<int64_t>(tag));
    if (found == step.members.end()) {
      return Fail(
          fmt::format("union `{}`: no case of its discriminator is {} (annotation: "
                      "discriminator)",
                      step.field, tag));
    }
    return Value(*found->second, from, to);
  }

  std::span<const std::byte> from_;
  std::span<std::byte> to_;
  const TranslateWord& translate_;
  const LeftAlone& untouched_;
};

}  // namespace

Status Apply(const Recipe& recipe, std::span<const std::byte> from, std::span<std::byte> to,
             const TranslateWord& translate, const LeftAlone& untouched) {
  Applier applier(from, to, translate, untouched);
  MCR_TRY(applier.Value(recipe, 0, 0));
  return recipe.flexible ? applier.Flexible(*recipe.flexible, 0, 0) : Status();
}

Status ApplyAll(const Recipe& recipe, uint64_t count, std::span<const std::byte> from,
                std::span<std::byte> to, const TranslateWord& translate) {
  if (count == 1) return Apply(recipe, from, to, translate);
  const LeftAlone never;
  Applier applier(from, to, translate, never);
  for (uint64_t i = 0; i < count; ++i) {
    MCR_TRY(applier.Value(recipe, i * recipe.from_size, i * recipe.to_size));
  }
  return {};
}

}  // namespace mcr::mutator
