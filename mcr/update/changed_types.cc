#include "mcr/update/changed_types.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace mcr::update {
namespace {

using Json = nlohmann::ordered_json;
using mutator::TypeKind;
using mutator::TypeTable;

constexpr size_t kShortRun = 3;  // fields; longer runs of the same kind are shown as one line
constexpr int64_t kBitsPerByte = 8;
constexpr size_t kNameWidth = 26;
constexpr size_t kTypeWidth = 24;

struct Field {
  std::string key;  // the name; anonymous members are counted, since nothing else tells them apart
  std::string name;
  FieldPlace place;
};

std::vector<Field> FieldsOf(const TypeTable& types, const mutator::Type& type) {
  std::vector<Field> fields;
  size_t anonymous = 0;
  for (const mutator::Member& member : type.members) {
    const std::string key = member.name.empty() ? "#" + std::to_string(++anonymous) : member.name;
    fields.push_back({key,
                      member.name,
                      {.offset = member.offset,
                       .size = types[member.type].size,
                       .bit_offset = member.bit_offset,
                       .bit_size = member.bit_size,
                       .type = types.Describe(member.type)}});
  }
  for (const mutator::Enumerator& enumerator : type.enumerators) {
    fields.push_back({enumerator.name, enumerator.name, {.value = enumerator.value}});
  }
  return fields;
}

std::vector<ChangedField> Pair(const std::vector<Field>& before, const std::vector<Field>& after) {
  std::vector<ChangedField> rows;
  auto next = before.begin();
  const auto add_dropped_until = [&](auto end) {
    for (; next < end; ++next) {
      if (std::ranges::find(after, next->key, &Field::key) == after.end()) {
        rows.push_back({next->name, next->place, std::nullopt});
      }
    }
  };
  for (const Field& field : after) {
    const auto old = std::ranges::find(before, field.key, &Field::key);
    if (old == before.end()) {
      rows.push_back({field.name, std::nullopt, field.place});
      continue;
    }
    add_dropped_until(old);
    rows.push_back({field.name, old->place, field.place});
  }
  add_dropped_until(before.end());
  return rows;
}

Json ToJson(const std::optional<FieldPlace>& place, bool is_enum) {
  if (!place) return nullptr;
  if (is_enum) return {{"value", place->value}};
  Json json = {{"offset", place->offset}, {"size", place->size}, {"type", place->type}};
  if (place->bit_size != 0) {
    json["bit_offset"] = place->bit_offset;
    json["bit_size"] = place->bit_size;
  }
  return json;
}

// Shortened to `width` characters.
std::string Fit(const std::string& text, size_t width) {
  return text.size() <= width ? text : text.substr(0, width - 2) + "..";
}

std::string Cell(const std::optional<FieldPlace>& place, bool is_enum) {
  if (!place) return "";
  if (is_enum) return fmt::format("{}", place->value);
  std::string where = std::to_string(place->offset);
  if (place->bit_size != 0) where += fmt::format(".{}:{}", place->bit_offset, place->bit_size);
  return fmt::format("{:>7} {:>5}  {}", where, place->size, Fit(place->type, kTypeWidth));
}

int64_t FirstBit(const FieldPlace& place) {
  return static_cast<int64_t>(kBitsPerByte * place.offset + place.bit_offset);
}

// What is said of a field in one word; fields of which the same is said make a run.
std::string Verdict(const ChangedField& field) {
  if (!field.before) return "new";
  if (!field.after) return "dropped";
  if (*field.before == *field.after) return "as before";
  FieldPlace moved = *field.before;
  moved.offset = field.after->offset;
  moved.bit_offset = field.after->bit_offset;
  if (moved != *field.after) return "changed";
  const int64_t bits = FirstBit(*field.after) - FirstBit(*field.before);
  return bits % kBitsPerByte == 0 ? fmt::format("moved by {:+}", bits / kBitsPerByte)
                                  : fmt::format("moved by {:+} bits", bits);
}

bool IsFolded(const std::string& verdict, size_t length) {
  return length > kShortRun && (verdict == "as before" || verdict.starts_with("moved"));
}

std::string Row(const ChangedField& field, bool is_enum) {
  const std::string name = field.name.empty() ? "(anonymous)" : field.name;
  std::string line = fmt::format("    {:<{}} {:<39} | {:<39}", Fit(name, kNameWidth), kNameWidth,
                                 Cell(field.before, is_enum), Cell(field.after, is_enum));
  return line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
}

}  // namespace

std::vector<ChangedType> DescribeChangedTypes(const TypeTable& before, const TypeTable& after,
                                              const std::vector<mutator::TypeChange>& changes) {
  std::vector<ChangedType> types;
  for (const mutator::TypeChange& change : changes) {
    const mutator::Type& a = before[change.before];
    const mutator::Type& b = after[change.after];
    types.push_back({change.name, change.difference,
                     a.kind == TypeKind::kEnum && b.kind == TypeKind::kEnum, a.size, b.size,
                     Pair(FieldsOf(before, a), FieldsOf(after, b))});
  }
  return types;
}

Json ToJson(const std::vector<ChangedType>& types) {
  Json list = Json::array();
  for (const ChangedType& type : types) {
    Json fields = Json::array();
    for (const ChangedField& field : type.fields) {
      fields.push_back({{"name", field.name},
                        {"before", ToJson(field.before, type.is_enum)},
                        {"after", ToJson(field.after, type.is_enum)}});
    }
    list.push_back({{"name", type.name},
                    {"difference", type.difference},
                    {"kind", type.is_enum ? "enum" : "layout"},
                    {"before", {{"size", type.size_before}}},
                    {"after", {{"size", type.size_after}}},
                    {"fields", fields}});
  }
  return list;
}

std::string ToText(const ChangedType& type) {
  std::string text = fmt::format("  {}: {}\n", type.name, type.difference);
  const std::string head = fmt::format("    {:<{}} {:<39} | {}", "", kNameWidth,
                                       fmt::format("old: {} bytes", type.size_before),
                                       fmt::format("new: {} bytes", type.size_after));
  text += head + "\n";
  for (size_t i = 0; i < type.fields.size();) {
    const std::string verdict = Verdict(type.fields[i]);
    size_t end = i + 1;
    while (end < type.fields.size() && Verdict(type.fields[end]) == verdict) ++end;
    if (IsFolded(verdict, end - i)) {
      text += fmt::format("    ... {} fields {}\n", end - i, verdict);
    } else {
      for (size_t row = i; row < end; ++row) text += Row(type.fields[row], type.is_enum);
    }
    i = end;
  }
  return text;
}

}  // namespace mcr::update
