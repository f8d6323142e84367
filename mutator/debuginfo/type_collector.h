// Turns type DIEs into a TypeGraph: typedefs and qualifiers resolved, every DIE read once.
#ifndef MCR_MUTATOR_DEBUGINFO_TYPE_COLLECTOR_H_
#define MCR_MUTATOR_DEBUGINFO_TYPE_COLLECTOR_H_

#include <llvm/ADT/DenseMap.h>
#include <llvm/DebugInfo/DWARF/DWARFDie.h>

#include <string_view>
#include <vector>

#include "mutator/debuginfo/type_graph.h"

namespace mcr::mutator {

class TypeCollector {
 public:
  // Remembers a DW_TAG_typedef as a name of the type that it stands for. All of them must
  // have been noted before Finish().
  void NoteTypedef(const llvm::DWARFDie& die);

  // The node of the type that `die` is, or that its DW_AT_type names (void if there is none).
  NodeId NodeOf(const llvm::DWARFDie& die);
  NodeId TypeOf(const llvm::DWARFDie& die);

  // Reads all DIEs that nodes were asked for, and those that they refer to.
  TypeGraph Finish();

 private:
  using Entry = const llvm::DWARFDebugInfoEntry*;
  struct Pending {
    NodeId node;
    llvm::DWARFDie die;
  };

  void Fill(NodeId id, const llvm::DWARFDie& die);
  void FillBase(TypeGraph::Node& node, const llvm::DWARFDie& die);
  void FillRecord(NodeId id, const llvm::DWARFDie& die);
  void FillEnum(NodeId id, const llvm::DWARFDie& die);
  void FillFunction(NodeId id, const llvm::DWARFDie& die);
  void FillArray(NodeId id, const llvm::DWARFDie& die);
  void AddMember(const llvm::DWARFDie& die);
  void NoteLinkageName(NodeId id, const llvm::DWARFDie& die);
  void AddStored(const llvm::DWARFDie& type);
  std::string_view TagName(const llvm::DWARFDie& die);

  TypeGraph graph_;
  llvm::DenseMap<Entry, NodeId> ids_;
  llvm::DenseMap<Entry, const char*> typedef_names_;
  std::vector<Pending> pending_;
};

}  // namespace mcr::mutator

#endif  // MCR_MUTATOR_DEBUGINFO_TYPE_COLLECTOR_H_
