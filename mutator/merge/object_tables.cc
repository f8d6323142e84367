#include "mutator/merge/object_tables.h"

#include <algorithm>
#include <iterator>
#include <ranges>
#include <span>
#include <string_view>
#include <utility>

#include "mcr/base/mapping.h"
#include "mutator/graph/dynamic_symbols.h"

namespace mcr::mutator {
namespace {

constexpr uint64_t kWord = sizeof(uint64_t);
constexpr uint64_t kRecordSize = sizeof(ObjectRecord);
static_assert(kRecordSize == 4 * kWord);  // struct dl_find_object_internal on x86-64
constexpr uint64_t kMostRecords = 4096;
// The address of the start-up table, its size and the end of its last module are variables beside
// each other.
constexpr size_t kNeighbours = 4;

// struct dlfo_mappings_segment without its records; `previous` has lower addresses.
struct SegmentHeader {
  uint64_t previous;
  uint64_t to_free;
  uint64_t size, allocated;  // records
};

const LoadedModule* Exporter(const checkpoint::ProcessImage& image, const LoadedModules& modules,
                             std::string_view name) {
  // Those that everybody has are loaded last.
  for (const LoadedModule& module : modules.all() | std::views::reverse) {
    if (FindExported(image, module, name)) return &module;
  }
  return nullptr;
}

}  // namespace

// The variables that lead to the tables are the loader's own, without symbols. What they lead to is
// unmistakable: addresses of link maps, each beside the addresses of its module.
class ObjectTables::Finder {
 public:
  Finder(const checkpoint::ProcessImage& image, const LoadedModules& modules, const LinkMaps& links)
      : image_(image), modules_(modules), links_(links) {}

  Result<std::vector<Table>> Find(const LoadedModule& loader) {
    std::vector<Table> tables;
    MCR_ASSIGN(const auto populated, image_.PopulatedRanges(loader.range));
    for (const Range<Addr>& range : populated) {
      std::vector<uint64_t> words(range.size() / kWord);
      MCR_TRY(image_.Read(range.begin(), std::as_writable_bytes(std::span(words))));
      for (size_t i = 0; i < words.size(); ++i) {
        if (words[i] % kWord != 0 || FindMapping(image_.mappings(), Addr(words[i])) == nullptr) {
          continue;
        }
        auto table = Opened(Addr(words[i]));
        if (!table) table = Started(words, i, range.begin());
        if (table) tables.push_back(*std::move(table));
      }
    }
    return tables;
  }

 private:
  bool IsRecord(const ObjectRecord& record) const {
    const auto link = links_.addresses().find(Addr(record.link_map));
    if (link == links_.addresses().end()) return false;
    const LoadedModule* module = modules_.At(link->second);
    return module != nullptr && module->range.Contains(Addr(record.begin)) &&
           record.begin < record.end && Addr(record.end) <= module->range.end();
  }

  std::optional<std::vector<ObjectRecord>> Read(Addr at, uint64_t count) const {
    std::vector<ObjectRecord> records(count);
    if (!image_.Read(at, std::as_writable_bytes(std::span(records)))) return std::nullopt;
    return records;
  }

  // Of what start-up loaded: `words[i]` is the address of the first record.
  std::optional<Table> Started(std::span<const uint64_t> words, size_t i, Addr start) const {
    const auto first = image_.ReadValue<ObjectRecord>(Addr(words[i]));
    if (!first || !IsRecord(*first)) return std::nullopt;
    const size_t from = i < kNeighbours ? 0 : i - kNeighbours;
    const size_t to = std::min(words.size(), i + kNeighbours + 1);
    for (size_t size = from; size < to; ++size) {
      if (words[size] == 0 || words[size] > kMostRecords) continue;
      auto records = Read(Addr(words[i]), words[size]);
      if (!records || !std::ranges::all_of(*records, [&](const auto& r) { return IsRecord(r); })) {
        continue;
      }
      const auto begin = words.begin() + static_cast<ptrdiff_t>(from);
      const auto end =
          std::find(begin, words.begin() + static_cast<ptrdiff_t>(to), records->back().end);
      if (end == words.begin() + static_cast<ptrdiff_t>(to)) continue;
      const Range<Addr> piece = *Range<Addr>::FromSize(Addr(words[i]), words[size] * kRecordSize);
      return Table{{piece}, *std::move(records), start + (end - words.begin()) * kWord};
    }
    return std::nullopt;
  }

  // Of what dlopen(3) loaded: pieces that are chained, the one with the highest addresses first.
  // Modules that were closed stay in it, empty or, in the copy that is out of date, as they were.
  std::optional<Table> Opened(Addr at) const {
    Table table;
    bool recognised = false;
    while (!at.IsNull()) {
      const auto header = image_.ReadValue<SegmentHeader>(at);
      if (!header || header->size > header->allocated || header->allocated > kMostRecords) {
        return std::nullopt;
      }
      if (header->size == 0) break;
      const Addr first = at + sizeof(SegmentHeader);
      const auto records = Read(first, header->size);
      if (!records) return std::nullopt;
      recognised |= std::ranges::any_of(*records, [&](const auto& r) { return IsRecord(r); });
      if (!recognised) return std::nullopt;
      table.pieces.insert(table.pieces.begin(),
                          *Range<Addr>::FromSize(first, header->size * kRecordSize));
      table.records.insert(table.records.begin(), records->begin(), records->end());
      if (table.records.size() > kMostRecords) return std::nullopt;
      at = Addr(header->previous);
    }
    if (!std::ranges::is_sorted(table.records, {}, &ObjectRecord::begin)) return std::nullopt;
    return recognised ? std::optional(std::move(table)) : std::nullopt;
  }

  const checkpoint::ProcessImage& image_;
  const LoadedModules& modules_;
  const LinkMaps& links_;
};

Result<ObjectTables> ObjectTables::Find(const checkpoint::ProcessImage& image,
                                        const LoadedModules& modules, const LinkMaps& links) {
  ObjectTables found;
  // The C library exports the lookup; the tables are variables of the loader.
  const LoadedModule* lookup = Exporter(image, modules, "_dl_find_object");
  const LoadedModule* loader = Exporter(image, modules, "_rtld_global");
  if (lookup == nullptr || loader == nullptr) return found;
  found.exist_ = true;
  MCR_ASSIGN(found.tables_, Finder(image, modules, links).Find(*loader));
  return found;
}

std::vector<ObjectRecord> ObjectTables::Of(Addr link_map) const {
  std::vector<ObjectRecord> records;
  for (const Table& table : tables_) {
    std::ranges::copy_if(
        table.records, std::back_inserter(records),
        [&](const ObjectRecord& record) { return record.link_map == link_map.value(); });
    if (!records.empty()) break;
  }
  return records;
}

bool ObjectTables::Exchange(Addr link_map, const std::vector<ObjectRecord>& records) {
  bool exchanged = false;
  for (Table& table : tables_) {
    const auto is_its = [&](const ObjectRecord& record) {
      return record.link_map == link_map.value();
    };
    const auto count = static_cast<size_t>(std::ranges::count_if(table.records, is_its));
    if (count == 0) continue;
    if (count != records.size()) return false;
    auto next = records.begin();
    for (ObjectRecord& record : table.records) {
      if (is_its(record)) record = *next++;
    }
    exchanged = true;
  }
  for (Table& table : tables_) std::ranges::sort(table.records, {}, &ObjectRecord::begin);
  return exchanged;
}

void ObjectTables::Write(checkpoint::WriteList& writes) const {
  for (const Table& table : tables_) {
    std::span<const std::byte> bytes = std::as_bytes(std::span(table.records));
    for (const Range<Addr>& piece : table.pieces) {
      writes.Add(piece.begin(), bytes.first(piece.size()));
      bytes = bytes.subspan(piece.size());
    }
    if (!table.end.IsNull()) writes.AddWord(table.end, table.records.back().end);
  }
}

std::vector<Range<Addr>> ObjectTables::ranges() const {
  std::vector<Range<Addr>> ranges;
  for (const Table& table : tables_) {
    std::ranges::copy(table.pieces, std::back_inserter(ranges));
    if (!table.end.IsNull()) ranges.push_back(*Range<Addr>::FromSize(table.end, kWord));
  }
  return ranges;
}

}  // namespace mcr::mutator
